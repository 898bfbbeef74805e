// What separates rounding from forgery where adapters differ: trained on the CPU device, replayed on another one
// (PARIS_ADAPTER=lavapipe or swiftshader). Prints the drift of every segment of honest work, and of forgeries; docs/prove.md has
// the table. npm run test:long -- calibrate
import { type Device, openDevice } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import type { Recipe } from '../train/recipe.js';
import { asked, toyData, work } from './attacks.testing.js';
import { defaultTolerance } from './drift.js';
import { readCommitment, segmentCheck } from './verify.js';

const settings = [
  { steps: 40, every: 2 },
  { steps: 100, every: 20 },
  { steps: 300, every: 100 },
];

/** What a worker does in place of what it was asked for. The smallest of forgeries that are still worth something. */
const forgeries: { [name: string]: (said: Recipe, other: Recipe) => Partial<Recipe> } = {
  "another cluster's data": (_, other) => ({ batch: other.batch }),
  'another order': (said) => ({ batch: (step) => said.batch(step ^ 1) }),
  'half of the batches, twice': (said) => ({ batch: (step) => said.batch(step & ~1) }),
  'learning rate + 20 %': ({ training }) => ({ training: { ...training, learningRate: 1.2 * training.learningRate } }),
  'one caption of four in each batch': (said) => ({
    batch: async (step) => {
      const batch = await said.batch(step);
      const { ids } = batch.tensors;
      (ids!.data as Uint32Array).fill(1, 0, ids!.shape[1]);
      return batch;
    },
  }),
};

async function drifts(
  worker: Device,
  verifier: Device,
  said: Recipe,
  done: Partial<Recipe>,
  every: number,
): Promise<number[]> {
  const data = await toyData();
  const run = await work(worker, said, done, every);
  const commitment = await readCommitment({ run });
  const check = await segmentCheck(commitment, { device: verifier, run, data });
  const found = [];
  for (const { index } of commitment.segments) found.push((await check(index)).drift);
  return found;
}

describe('a tolerance', () => {
  it.each(settings)('lies between rounding and forgery: %j', { timeout: 3_600_000 }, async ({ steps, every }) => {
    const [worker, verifier] = [await openDevice({ require: 'cpu' }), await openDevice()];
    const data = await toyData();
    const [said, other] = await Promise.all([1, 2].map((cluster) => asked(worker, data, cluster, { steps })));
    const lines: string[] = [];
    const note = (name: string, found: readonly number[]) => {
      const sorted = [...found].sort((a, b) => a - b);
      const [least, middle, most] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((x) =>
        x!.toExponential(1),
      );
      lines.push(`${every} steps, ${name}: ${least} to ${most}, median ${middle}`);
    };
    const honest = await drifts(worker, verifier, said!, {}, every);
    note('honest', honest);
    const forged: { [name: string]: number[] } = {};
    for (const [name, how] of Object.entries(forgeries)) {
      forged[name] = await drifts(worker, verifier, said!, how(said!, other!), every);
      note(name, forged[name]);
    }
    console.log(`${worker.info.adapter} → ${verifier.info.adapter}\n${lines.join('\n')}`);
    await Promise.all([worker.close(), verifier.close()]);
    expect(Math.max(...honest)).toBeLessThan(defaultTolerance);
    const median = (found: number[]) => [...found].sort((a, b) => a - b)[found.length >> 1]!;
    for (const [name, found] of Object.entries(forged)) expect(median(found), name).toBeGreaterThan(defaultTolerance);
  });
});
