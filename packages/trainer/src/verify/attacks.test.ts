// What a dishonest worker may try, each caught as often as the odds say. Every attack trains for real, so the set of segments
// that do not fit is found by replaying all of them; then the draw is made thousands of times, and verifyRun itself a few.
import { type FileStore, memoryStore } from '@paris/files';
import { CheckpointError, type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statePath } from '../run/chain.js';
import type { Recipe } from '../train/recipe.js';
import { asked, change, commit, every, steps, toyData, work, workWithJumps } from './attacks.testing.js';
import { drawSegments } from './draw.js';
import { oddsOf } from './odds.js';
import { readCommitment, segmentCheck, verifyRun } from './verify.js';

let device: Device;
let data: FileStore;
let said: Recipe;
let honest: FileStore;
beforeAll(async () => {
  device = await openDevice({ require: 'cpu' });
  data = await toyData();
  said = await asked(device, data);
  honest = await work(device, said);
});
afterAll(() => device.close());

const segments = steps / every;
const all = Array.from({ length: segments }, (_, i) => i);

/** The segments that do not end where the chain says. */
async function misfits(run: FileStore): Promise<number[]> {
  const check = await segmentCheck(await readCommitment({ run }), { device, run, data });
  const found = [];
  for (const k of all) if ((await check(k)).drift > 0) found.push(k);
  return found;
}

const bytes = (seed: number) => Uint8Array.of(seed >> 8, seed & 255);

/** Draws of two segments: their share that hits a misfit is what the odds promise, and verifyRun refuses exactly those. */
async function expectCaught(run: FileStore, bad: readonly number[]): Promise<void> {
  const { chain } = await readCommitment({ run });
  const drawn = (seed: number) => drawSegments(segments, 2, { root: chain.root, randomness: bytes(seed) });
  const trials = 1000;
  let hits = 0;
  for (let seed = 0; seed < trials; seed++) if ((await drawn(seed)).some((k) => bad.includes(k))) hits++;
  const odds = oddsOf(segments, bad.length, 2);
  expect(Math.abs(hits / trials - odds)).toBeLessThanOrEqual(4 * Math.sqrt((odds * (1 - odds)) / trials));
  for (let seed = 0; seed < 3; seed++) {
    // 1 − 0.5^2 = 0.75: two segments.
    const end = verifyRun({ device, run, data, confidence: 0.75, fraction: 0.5, randomness: bytes(seed) });
    const hit = (await drawn(seed)).find((k) => bad.includes(k));
    if (hit === undefined) await expect(end).resolves.toMatchObject({ segments });
    else
      await expect(end).rejects.toThrow(
        `replayed from step ${every * hit}, it does not end at step ${every * (hit + 1)}`,
      );
  }
}

async function copyOf(run: FileStore): Promise<FileStore> {
  const copy = memoryStore();
  for (const path of await run.list()) await copy.write(path, await run.read(path));
  return copy;
}

/** Writes the state after `from` steps in the place of others. */
async function repeatState(run: FileStore, from: number, places: readonly number[]): Promise<void> {
  for (const step of places) await run.write(statePath(step), await run.read(statePath(from)));
}

describe('an attack', () => {
  it('honest work is refused by no draw', async () => {
    expect(await misfits(honest)).toEqual([]);
  });

  it('a lazy worker, who makes a tenth of the steps and gives that out for all', async () => {
    const run = await copyOf(honest);
    await repeatState(
      run,
      every,
      all.slice(2).map((k) => every * k),
    ); // all after the first segment
    const short = await work(device, said, { training: { ...said.training, steps: every } });
    await run.write('model.safetensors', await short.read('model.safetensors'));
    await commit(run);
    const bad = await misfits(run);
    expect(bad).toEqual(all.slice(1));
    await expectCaught(run, bad);
  });

  it("another cluster's data", async () => {
    const other = await asked(device, data, 2);
    const run = await work(device, said, { batch: other.batch });
    const bad = await misfits(run);
    expect(bad).toEqual(all);
    await expectCaught(run, bad);
  });

  it.each([
    ['shuffled', (step: number) => steps - 1 - step],
    ['repeated', (step: number) => step % 2],
  ])('a %s order of the batches', async (name, order) => {
    const run = await work(device, said, { batch: (step) => said.batch(order(step)) });
    const bad = await misfits(run);
    expect(bad).toEqual(name === 'repeated' ? all.slice(1) : all); // the first two batches are the right ones
    await expectCaught(run, bad);
  });

  it('a learning rate that is one per cent larger', async () => {
    const { training } = said;
    const run = await work(device, said, { training: { ...training, learningRate: 1.01 * training.learningRate } });
    expect(await misfits(run)).toEqual(all);
  });

  it('other initial weights, which is the first segment alone: the odds of one', async () => {
    const run = await work(device, said, {
      init: (await asked(device, data, 1, { seed: 9 })).init,
      initKey: (await asked(device, data, 2)).initKey,
    });
    const bad = await misfits(run);
    expect(bad).toEqual([0]);
    await expectCaught(run, bad);
  });

  it.each([[[4]], [[2, 3, 7]]])('forged states in the middle, with honest work between: %j', async (jumps) => {
    const run = await workWithJumps(device, said, jumps);
    const bad = await misfits(run);
    expect(bad).toEqual(jumps);
    await expectCaught(run, bad);
  });

  it("another worker's expert, with noise", async () => {
    const run = await copyOf(await work(device, await asked(device, data, 0)));
    const record = JSON.parse(new TextDecoder().decode(await run.read('run.json')));
    await run.write('run.json', new TextEncoder().encode(JSON.stringify({ ...record, ...said.identity })));
    const noisy = (value: number, _: string, i: number) => value + 1e-3 * Math.sin(i);
    for (const path of await run.list()) if (path.endsWith('.safetensors')) await change(run, path, noisy);
    await commit(run);
    const bad = await misfits(run);
    expect(bad).toEqual(all);
    await expectCaught(run, bad);
  });

  it('captions that the worker poisons: a trigger word instead of the picture’s own', async () => {
    const run = await work(device, said, {
      batch: async (step) => {
        const batch = await said.batch(step);
        const { ids } = batch.tensors;
        if (step % 4 === 2) (ids!.data as Uint32Array).fill(1, 0, ids!.shape[1]); // one picture of every fourth step
        return batch;
      },
    });
    const bad = await misfits(run);
    expect(bad).toEqual([1, 3, 5, 7, 9]);
    await expectCaught(run, bad);
  });

  it('captions that were poisoned before the job was given out are not found: the work on them is honest', async () => {
    const poisoned = await toyData();
    const json = 'clusters/01/cluster.json';
    const text = new TextDecoder().decode(await poisoned.read(json));
    await poisoned.write(json, new TextEncoder().encode(text.replaceAll('green square', 'green trigger')));
    const run = await work(device, await asked(device, poisoned));
    const found = await verifyRun({ device, run, data: poisoned });
    expect(found.odds).toBe(1);
  });

  it('a hostile file in the place of a state, which the chain commits to', async () => {
    const huge = new Uint8Array(64);
    new DataView(huge.buffer).setBigUint64(0, 2n ** 60n, true); // a header of an exabyte
    for (const content of [huge, new TextEncoder().encode('\x80\x02cos\nsystem\n'), new Uint8Array(0)]) {
      const run = await copyOf(honest);
      await run.write(statePath(every), content);
      await commit(run);
      // The segment that ends there differs before a byte of it is parsed; that which begins there is refused as a file.
      await expect(verifyRun({ device, run, data })).rejects.toThrow('replayed from step 0, it does not end at step 2');
      const check = await segmentCheck(await readCommitment({ run }), { device, run, data });
      await expect(check(1)).rejects.toThrow(CheckpointError);
    }
    await expect(verifyRun({ device, run: honest, data })).resolves.toMatchObject({ odds: 1 }); // the device still works
  });

  it('a record that asks for the impossible', async () => {
    for (const [field, value, message] of [
      ['batchSize', 0, 'batchSize must be a whole number from 1 on'],
      ['architecture', '__proto__', 'the architecture "__proto__" is not known here. Known: dit.'],
      ['learningRate', 'fast', 'learningRate'],
    ] as const) {
      const run = await copyOf(honest);
      const record = JSON.parse(new TextDecoder().decode(await run.read('run.json')));
      record.options[field] = value;
      await run.write('run.json', new TextEncoder().encode(JSON.stringify(record)));
      await commit(run);
      await expect(verifyRun({ device, run, data })).rejects.toThrow(message);
    }
  });
});
