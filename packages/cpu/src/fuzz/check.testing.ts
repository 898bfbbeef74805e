// Checks seeds on the CPU device and on the adapter that Dawn finds: SwiftShader or lavapipe.
import { create } from 'webgpu';
import { createGpu } from '../index.js';
import { compileOn, difference, type Problem, problemOf, runOn } from './compare.testing.js';
import { mutateAnywhere, mutateTokens, unmarked } from './mutate.testing.js';
import { Random } from './random.testing.js';

export interface Tally {
  /** Texts checked: of each seed a program and two mutants. */
  programs: number;
  /** Of the mutants. */
  valid: number;
  refused: number;
}

export interface Both {
  readonly ours: GPUDevice;
  readonly theirs: GPUDevice;
  readonly name: string;
  close(): void;
}

/** Both devices; undefined if Dawn finds no adapter. */
export async function openBoth(): Promise<Both | undefined> {
  const dawn = create([]);
  const adapter = await dawn.requestAdapter();
  if (!adapter) return undefined;
  const theirs = await adapter.requestDevice();
  const ours = await (await createGpu({ threads: 2 }).requestAdapter())!.requestDevice();
  // Dawn asks its other threads in a loop of `setImmediate`, which takes a processor. Many programs are under way here.
  const original = globalThis.setImmediate;
  const patient = (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    args.length > 0 || callback.name ? original(callback, ...args) : setTimeout(callback, 3);
  globalThis.setImmediate = Object.assign(patient, original) as unknown as typeof setImmediate;
  const close = () => {
    globalThis.setImmediate = original;
    ours.destroy();
    theirs.destroy();
    // Until here something must hold it: without it Dawn ends the process.
    void dawn.wgslLanguageFeatures;
  };
  return { ours, theirs, name: adapter.info.description, close };
}

/** Checks seeds, several at a time, and gives what was not taken alike: texts with what each device makes of them. */
export async function checkSeeds(both: Both, first: number, count: number, tally: Tally): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  let next = first;
  const lane = async () => {
    while (next < first + count) {
      const seed = next++;
      await checkSeed(seed, both, tally).catch((error: Error) => found.set(seed, error.message));
    }
  };
  await Promise.all(Array.from({ length: 6 }, lane));
  return found;
}

async function checkSeed(seed: number, both: Both, tally: Tally): Promise<void> {
  const problem = problemOf(seed);
  const random = new Random(seed ^ 0x5eed);
  const code = unmarked(problem.marked);
  if (!(await same(problem, code, both, true))) throw new Error(`the program does not compile.\n${code}`);
  tally.programs++;
  for (const [mutate, runs] of [
    [mutateTokens, true],
    [mutateAnywhere, false],
  ] as const) {
    const valid = await same(problem, mutate(problem.marked, random), both, runs).catch((error: Error) => {
      throw new Error(`${mutate.name}: ${error.message}`);
    });
    tally.programs++;
    tally[valid ? 'valid' : 'refused']++;
  }
}

/** Whether both take the text; if so, they compute the same. Throws if not. */
async function same(problem: Problem, code: string, { ours, theirs }: Both, runs: boolean): Promise<boolean> {
  const [mine, other] = await Promise.all([compileOn(ours, code), compileOn(theirs, code)]);
  const said = (made: GPUComputePipeline | string) => (typeof made === 'string' ? made : 'valid');
  if ((said(mine) === 'valid') !== (said(other) === 'valid'))
    throw new Error(`ours: ${said(mine)}\ntheirs: ${said(other)}\n${code}`);
  if (typeof mine === 'string' || typeof other === 'string') return false;
  if (runs) {
    const found = difference(problem, await runOn(ours, mine, problem), await runOn(theirs, other, problem));
    if (found) throw new Error(`${found}\n${code}`);
  }
  return true;
}
