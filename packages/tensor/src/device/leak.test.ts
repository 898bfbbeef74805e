// The training loop of the README, unchanged, for 25,000 steps: memory must come back by dispose() and donation
// alone, so finalizers and weak references are gone before anything is loaded. About half a minute on two free cores.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { childProgram } from '../testing/child-program.testing.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();
const steps = 25_000;
/** Over the last of them: malloc and the JIT take their share in the first twenty thousand. */
const measured = 5_000;
const window = 1_000;
const bytesAStep = 200;

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

interface Weight {
  readonly rss: number;
  readonly heapUsed: number;
  readonly buffersCreated: number;
  readonly bytesAllocated: number;
}

/** The README's first program, with the bound of its loop raised and nothing else changed. */
async function program(): Promise<string> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const fence = /```ts[^\n]*\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const longer = fence.replace(/(for \(let \w+ = 0; \w+ < )\w+(; )/, `$1${steps}$2`);
  expect(longer, 'the README has a loop of a fixed number of steps').not.toBe(fence);
  return longer;
}

it(`${steps} steps of the README's loop take no new buffer and grow by less than ${bytesAStep} bytes a step`, async (context) => {
  device(context);
  const child = await childProgram(`${scale}\n${await program()}`);
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const printed = await child.run({ flags, before: withoutFinalizers, timeoutMs: 570_000 });
  await child.remove();
  const weights: Weight[] = JSON.parse(/^weights (.*)$/m.exec(printed)![1]!);
  expect(weights).toHaveLength(steps / window);
  const last = weights.slice(-measured / window - 1);
  const [start, end] = [last[0]!, last.at(-1)!];
  expect([end.buffersCreated, end.bytesAllocated]).toEqual([weights[0]!.buffersCreated, weights[0]!.bytesAllocated]);
  expect((end.heapUsed - start.heapUsed) / measured, 'heap').toBeLessThan(bytesAStep);
  // What grows with the steps grows between any two points of them. What malloc takes and gives back does not.
  const late = weights.slice(measured / window);
  const apart = measured / window;
  const slopes = late.flatMap(({ rss }, i) =>
    late.slice(i + apart).map((later, j) => (later.rss - rss) / ((j + apart) * window)),
  );
  expect(slopes.sort((a, b) => a - b)[slopes.length >> 1], 'resident, the median of all slopes').toBeLessThan(
    bytesAStep,
  );
  expect(end.rss - start.rss, 'resident, in all').toBeLessThan(10e6);
}, 600_000);
