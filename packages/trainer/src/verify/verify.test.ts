// An honest run passes; what is no such run says why. On @paris/cpu, where a segment has the same bits each time.
import { folderStore, memoryStore } from '@paris/files';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataError, RunError } from '../errors.js';
import { readChain } from '../run/chain.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { routerConfig } from '../train/configs.js';
import { trainRouter } from '../train/router.js';
import { asked, change, commit, every, steps, toyData, work } from './attacks.testing.js';
import { verifyRun } from './verify.js';

let device: Device;
let data: Awaited<ReturnType<typeof toyData>>;
let run: Awaited<ReturnType<typeof work>>;
beforeAll(async () => {
  device = await openDevice({ require: 'cpu' });
  data = await toyData();
  run = await work(device, await asked(device, data));
});
afterAll(() => device.close());

const copyOf = async () => {
  const copy = memoryStore();
  for (const path of await run.list()) await copy.write(path, await run.read(path));
  return copy;
};

it('an honest run passes bit for bit, and the odds are those of the draw', async () => {
  const seen: [number, number][] = [];
  const onProgress = (done: number, total: number) => seen.push([done, total]);
  const found = await verifyRun({ device, run, data, confidence: 0.7, fraction: 0.3, onProgress });
  expect(found.segments).toBe(steps / every);
  expect(found.checked).toHaveLength(4); // 1 − 0.7^4 = 0.76
  expect(found.checked.every(({ drift, exact }) => drift === 0 && exact)).toBe(true);
  expect(found.odds).toBeCloseTo(1 - (7 * 6 * 5 * 4) / (10 * 9 * 8 * 7), 12);
  expect(found.root).toBe((await readChain(run)).root);
  expect(seen).toEqual(Array.from({ length: 8 }, (_, i) => [i + 1, 8]));
  const again = await verifyRun({ device, run, data, confidence: 0.7, fraction: 0.3 });
  expect(again.randomness).not.toBe(found.randomness); // nobody can know what will be looked at
});

it('the last bit of one moment of one state is seen, wherever it is, when all is replayed', async () => {
  for (const path of ['proof/00000008.safetensors', 'model.safetensors']) {
    const forged = await copyOf();
    let changed = false;
    await change(forged, path, (value) => {
      if (changed || value === 0) return value;
      changed = true;
      const bits = new Uint32Array(Float32Array.of(value).buffer);
      bits[0]! ^= 1;
      return new Float32Array(bits.buffer)[0]!;
    });
    await expect(verifyRun({ device, run: forged, data })).rejects.toThrow(DataError); // not what it is bound to
    await commit(forged);
    const end = verifyRun({ device, run: forged, data });
    await expect(end).rejects.toThrow(DataError);
    await expect(end).rejects.toThrow(
      path.startsWith('proof')
        ? 'expert-01 was not trained as it says: replayed from step 6, it does not end at step 8 where the chain says, bit for bit.'
        : 'replayed from step 18, it does not end at step 20',
    );
  }
});

it('a router passes, too', async () => {
  const runs = memoryStore();
  const training = { ...toyTraining, steps: 6, emaDecay: [0.9, 0.5] };
  const config = routerConfig(toySize);
  await trainRouter({ device, data, runs, architecture: routerTransformer, config, training, proveEvery: 4 });
  const found = await verifyRun({ device, run: folderStore(runs, 'router'), data });
  expect(found.checked.map(({ from, to }) => [from, to])).toEqual([
    [0, 4],
    [4, 6],
  ]);
  expect(found.odds).toBe(1);
});

it('what was trained on another adapter is compared within a tolerance, or refused', async () => {
  const other = await copyOf();
  const record = JSON.parse(new TextDecoder().decode(await other.read('run.json')));
  record.adapters[0].fingerprint = 'another';
  await other.write('run.json', new TextEncoder().encode(JSON.stringify(record)));
  await commit(other);
  const found = await verifyRun({ device, run: other, data, confidence: 0.2, fraction: 0.1 });
  expect(found.checked.every(({ exact, drift }) => !exact && drift === 0)).toBe(true); // it was this one after all
  await expect(verifyRun({ device, run: other, data, exact: true })).rejects.toThrow(
    'expert-01 was trained on another adapter or by another version from step 0 to 2, so that its bits cannot be compared.',
  );
});

it.each([
  ['no run', async () => ({ run: memoryStore() }), 'there is no run.json. Give the folder of a run'],
  ['another root', async () => ({ root: '0'.repeat(64) }), `and ${'0'.repeat(64)} was handed over before.`],
  [
    'another seed than was asked for',
    async () => ({ expected: (await asked(device, data, 1, { seed: 5 })).identity }),
    'the run is not the one that was asked for: seed is 0, and 5 was asked for.',
  ],
  [
    'other data than was asked for',
    async () => ({ expected: { ...(await asked(device, data)).identity, data: { sha256: 'x', count: 12 } } }),
    'the run is not the one that was asked for: it was trained on other data.',
  ],
  [
    'other data in the folder',
    async () => {
      const other = await toyData();
      const text = new TextDecoder().decode(await other.read('clusters/01/cluster.json'));
      await other.write(
        'clusters/01/cluster.json',
        new TextEncoder().encode(text.replace('green square', 'red square')),
      );
      return { data: other };
    },
    'expert-01 was trained on other data than this folder holds.',
  ],
  [
    'a state that is missing',
    async () => {
      const copy = await copyOf();
      await copy.remove('proof/00000004.safetensors');
      return { run: copy };
    },
    'proof/00000004.safetensors, a state that the chain lists, is missing. Ask for the whole result.',
  ],
])('%s is refused', async (_, change, message) => {
  await expect(verifyRun({ device, run, data, ...(await change()) })).rejects.toThrow(message);
});

it('a run that is not finished is to be finished first', async () => {
  const copy = await copyOf();
  const record = JSON.parse(new TextDecoder().decode(await copy.read('run.json')));
  await copy.write('run.json', new TextEncoder().encode(JSON.stringify({ ...record, status: 'running' })));
  await expect(verifyRun({ device, run: copy, data })).rejects.toThrow(RunError);
});
