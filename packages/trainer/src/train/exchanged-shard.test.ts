import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BatchDrawer, runKey } from '../data/batches.js';
import { DataError } from '../errors.js';
import { listCheckpoints } from '../run/checkpoint.js';
import type { TrainEvent } from '../run/events.js';
import { readRun } from '../run/record.js';
import { verifyRun } from '../verify/verify.js';
import { batchSize, count, freshData, shard, trainOn, weights } from './toy-shards.testing.js';
import type { RunControls } from './train.js';

const steps = 18; // three epochs

/** A file that is read before step `after`, and then not for two steps, which are read ahead by then, but later: at step `again`. */
const { at, after, again } = (() => {
  const drawer = new BatchDrawer(runKey(0, 1), { count, batchSize, conditionDropout: 0.1 });
  const files = Array.from({ length: steps }, (_, step) => [...drawer.draw(step).indices].map((row) => row >> 1));
  for (let after = 4; after < steps - 3; after++) {
    for (const at of [0, 1, 2, 3, 4, 5]) {
      const uses = files.flatMap((of, step) => (of.includes(at) ? [step] : []));
      const again = uses.find((step) => step >= after);
      if (uses[0]! < after && again !== undefined && again > after + 2) return { at, after, again };
    }
  }
  throw new Error('no file has such a pause; take another seed');
})();

let device: Device;
let undisturbed: Uint8Array;
beforeAll(async () => {
  device = await openDevice({ require: 'cpu' });
  undisturbed = await weights((await train(await freshData())).runs);
});
afterAll(() => device.close());

/** The data, with other bytes in the place of one file once `state.exchanged` is true. */
function exchangeable(data: FileStore, path: string, other: Uint8Array, state: { exchanged: boolean }): FileStore {
  const there = memoryStore();
  const now = async (asked: string) => {
    if (!state.exchanged || asked !== path) return data;
    await there.write(path, other);
    return there;
  };
  return {
    ...data,
    read: async (asked, ...how) => (await now(asked)).read(asked, ...how),
    size: async (asked) => (await now(asked)).size(asked),
  };
}

function train(data: FileStore, controls: RunControls = {}, runs: FileStore = memoryStore()) {
  return trainOn(data, { ...controls, device, steps, runs });
}

/** A training whose file is exchanged when so many steps are made. */
async function disturbed(other: (data: FileStore) => Promise<Uint8Array>, controls: RunControls, runs?: FileStore) {
  const data = await freshData();
  const state = { exchanged: false };
  const bytes = await other(data);
  expect(bytes).toHaveLength(await data.size(shard(at)));
  const onEvent = (event: TrainEvent) => {
    if (event.type === 'checkpoint' && event.step === after) state.exchanged = true;
  };
  const given = exchangeable(data, shard(at), bytes, state);
  return train(given, { ...controls, checkpointEvery: 1, onEvent }, runs);
}

const another = (data: FileStore) => data.read(shard((at + 1) % 6));
const rewritten = async (data: FileStore) => {
  const bytes = await data.read(shard(at));
  return bytes.map((byte, i) => (i >= bytes.length - 200 ? 255 - byte : byte));
};
const exchanges = [
  ['exchanged for another one of the same size', another],
  ['written over in its place', rewritten],
] as const;

it.each(exchanges)('a file that is %s is left out from its next read on', async (_, other) => {
  const { runs, record, notices } = await disturbed(other, { maxLost: 0.2, proveEvery: 3 });
  expect(record).toMatchObject({ status: 'finished', lost: [{ rows: 2, fromStep: again }] });
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain(`${shard(at)} has other bytes than were written (its SHA-256 differs)`);
  // Replayed with the data as it was: not a byte of the other file was learned.
  const found = await verifyRun({
    ...{ device, run: folderStore(runs, 'expert-01'), data: await freshData() },
    maxLost: 0.2,
  });
  expect(found.checked.length).toBeGreaterThan(0);
  expect(found.checked.every(({ exact, drift }) => exact && drift === 0)).toBe(true);
});

it.each(exchanges)(
  'a file that is %s ends a training that may not lose it, with a good checkpoint',
  async (_, other) => {
    const runs = memoryStore();
    const error = await disturbed(other, {}, runs).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(`${shard(at)} has other bytes than were written`);
    expect((await listCheckpoints(folderStore(runs, 'expert-01')))[0]).toBe(again);
    expect((await readRun(folderStore(runs, 'expert-01')))!.lost).toBeUndefined();
    await train(await freshData(), {}, runs);
    expect(await weights(runs)).toEqual(undisturbed);
  },
);

it('a file that is exchanged for its own copy is the same file', async () => {
  const { runs, record, notices } = await disturbed((data) => data.read(shard(at)), {});
  expect([record.lost, notices]).toEqual([undefined, []]);
  expect(await weights(runs)).toEqual(undisturbed);
});
