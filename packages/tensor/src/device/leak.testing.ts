// The training loop of the README, unchanged, for many steps: memory must come back by dispose() and donation
// alone, so finalizers and weak references are gone before anything is loaded.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { childProgram } from '../testing/child-program.testing.js';

/** Steps between two measurements. */
export const window = 1_000;
/** By which memory may grow. */
export const bytesAStep = 200;

const withoutFinalizers = `
globalThis.FinalizationRegistry = class { register() {} unregister() {} };
globalThis.WeakRef = class { #target; constructor(target) { this.#target = target; } deref() { return this.#target; } };
`;

// Counts the calls of compiled functions, whatever else the loop does, and measures the process's memory now and then.
const scale = `
import { Device } from './src/device/device.js';
const compile = Device.prototype.compile;
let calls = 0;
const weights = [];
Device.prototype.compile = function (fn, options) {
  const step = compile.call(this, fn, options);
  return async (...args) => {
    if (++calls % ${window} === 0) {
      await this.gpu.queue.onSubmittedWorkDone();
      for (let i = 0; i < 5; i++) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const { rss, heapUsed } = process.memoryUsage();
      const { buffersCreated, bytesAllocated } = this.counters;
      weights.push({ calls, rss, heapUsed, buffersCreated, bytesAllocated });
    }
    return step(...args);
  };
};
process.on('exit', () => console.log('weights ' + JSON.stringify(weights)));
`;

/** What the process holds after some calls. */
export interface Weight {
  readonly rss: number;
  readonly heapUsed: number;
  readonly buffersCreated: number;
  readonly bytesAllocated: number;
}

/** The README's first program, with the bound of its loop raised and nothing else changed. */
async function program(steps: number): Promise<string> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const fence = /```ts[^\n]*\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const longer = fence.replace(/(for \(let \w+ = 0; \w+ < )\w+(; )/, `$1${steps}$2`);
  expect(longer, 'the README has a loop of a fixed number of steps').not.toBe(fence);
  return longer;
}

/** Runs the loop in a process of its own, and gives what it held after every {@link window} of its steps. */
export async function weightsOver(steps: number): Promise<Weight[]> {
  const child = await childProgram(`${scale}\n${await program(steps)}`);
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const printed = await child.run({ flags, before: withoutFinalizers, timeoutMs: 570_000 });
  await child.remove();
  const weights: Weight[] = JSON.parse(/^weights (.*)$/m.exec(printed)![1]!);
  expect(weights).toHaveLength(steps / window);
  return weights;
}
