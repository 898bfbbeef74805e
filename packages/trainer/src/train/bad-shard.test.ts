import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchDrawer, runKey } from '../data/batches.js';
import { readCluster, readLabelled, writeLabelled } from '../data/files.js';
import { DamagedShardError, DataError, InterruptedError } from '../errors.js';
import { readChain } from '../run/chain.js';
import { listCheckpoints } from '../run/checkpoint.js';
import type { TrainEvent } from '../run/events.js';
import { readMetrics } from '../run/metrics.js';
import { readRun, writeRun } from '../run/record.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { commit } from '../verify/attacks.testing.js';
import { verifyRun } from '../verify/verify.js';
import { routerConfig } from './configs.js';
import { trainRouter } from './router.js';
import { batchSize, count, freshData, shard, shardBytes, trainOn, weights } from './toy-shards.testing.js';
import type { RunControls } from './train.js';

const steps = 9; // one epoch and a half
let device: Device;
let undisturbed: Uint8Array;
let withoutLate: Uint8Array;
beforeAll(async () => {
  device = await openDevice({ require: 'cpu' });
  undisturbed = await weights((await train(await freshData())).runs);
  const data = await freshData();
  await data.write(shard(late.at), new Uint8Array(1));
  withoutLate = await weights((await train(data, { maxLost: 0.2 })).runs);
});
afterAll(() => device.close());

const recordOf = async (runs: FileStore) => (await readRun(folderStore(runs, 'expert-01')))!;

function train(data: FileStore, controls: RunControls = {}, runs: FileStore = memoryStore()) {
  return trainOn(data, { ...controls, device, steps, runs });
}

/** The files that the steps need, in the order in which they come first, with that step. */
const firstNeeded = (() => {
  const drawer = new BatchDrawer(runKey(0, 1), { count, batchSize, conditionDropout: 0.1 });
  const found = new Map<number, number>();
  for (let step = 0; step < steps; step++) {
    for (const row of drawer.draw(step).indices) {
      if (!found.has(row >> 1)) found.set(row >> 1, step);
    }
  }
  return [...found].map(([at, step]) => ({ at, step }));
})();
const [early, late] = [firstNeeded[2]!, firstNeeded.at(-1)!];

type Damage = (data: FileStore, path: string) => Promise<void>;
const corrupt: Damage = async (data, path) => {
  const bytes = await data.read(path);
  await data.write(
    path,
    bytes.map((byte, at) => (at === bytes.length - 50 ? byte ^ 1 : byte)),
  );
};
const damages: readonly (readonly [string, Damage, string])[] = [
  ['missing', (data, path) => data.remove(path), 'is missing'],
  ['cut off', async (data, path) => data.write(path, (await data.read(path)).slice(0, -7)), 'were written'],
  ['another one', async (data, path) => data.write(path, await data.read(shard(firstNeeded[0]!.at))), 'other bytes'],
  ['changed in one bit', corrupt, 'has other bytes than were written (its SHA-256 differs)'],
];

describe.each(damages)('a file that is %s', (_, damage, message) => {
  it('is left out from the step that needs it on, and counted', async () => {
    const data = await freshData();
    await damage(data, shard(late.at));
    const { runs, record, notices } = await train(data, { maxLost: 0.2 });
    const file = `images-0000${late.at}.safetensors`;
    expect(record.lost).toEqual([{ file, rows: 2, fromStep: late.step }]);
    expect(record.status).toBe('finished');
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(message);
    expect(notices[0]).toContain(`its 2 pictures are left out from step ${late.step + 1} on`);
    expect(notices[0]).toContain('(2 of 12 pictures (17 %) are lost; 20 % may be)');
    const drawer = new BatchDrawer(runKey(0, 1), { count, batchSize, conditionDropout: 0.1 });
    const replaced = Array.from({ length: steps }, (_, step) => {
      return step < late.step ? 0 : drawer.draw(step).indices.filter((row) => row >> 1 === late.at).length;
    });
    const metrics = await readMetrics(folderStore(runs, 'expert-01'));
    expect(metrics.map((line) => line.replaced ?? 0)).toEqual(replaced);
    expect(replaced[late.step]).toBeGreaterThan(0);
    expect(await weights(runs)).not.toEqual(undisturbed);
    expect(await weights(runs)).toEqual(withoutLate); // however it is damaged
  });

  it('ends the training with a good checkpoint where it may not be lost', async () => {
    const data = await freshData();
    const whole = await data.read(shard(late.at));
    await damage(data, shard(late.at));
    const runs = memoryStore();
    const error = await train(data, {}, runs).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(`${shard(late.at)} `);
    expect(error.message).toContain(message);
    expect(error.message).toContain('With it, 2 of 12 pictures (17 %) would be lost, and 1 % may be (maxLost).');
    expect(await listCheckpoints(folderStore(runs, 'expert-01'))).toEqual([late.step]);
    expect((await recordOf(runs)).lost).toBeUndefined();
    await data.write(shard(late.at), whole);
    await train(data, {}, runs);
    expect(await weights(runs)).toEqual(undisturbed);
  });
});

it('a second one beyond the limit stops it; repaired, the run still leaves out the first', async () => {
  const data = await freshData();
  const whole = await data.read(shard(late.at));
  await corrupt(data, shard(early.at));
  const { runs: onlyEarly } = await train(data, { maxLost: 0.2 });
  await corrupt(data, shard(late.at));
  const runs = memoryStore();
  await expect(train(data, { maxLost: 0.2 }, runs)).rejects.toThrow('4 of 12 pictures (33 %) would be lost, and 20 %');
  expect((await recordOf(runs)).lost).toHaveLength(1);
  await data.write(shard(late.at), whole);
  const { notices } = await train(data, { maxLost: 0.2 }, runs);
  expect(notices).toEqual(['2 of 12 pictures (17 %) are left out, as before, since their files were damaged']);
  expect(await weights(runs)).toEqual(await weights(onlyEarly));
});

it('a run that was stopped leaves out the same, also when all is whole again', async () => {
  const data = await freshData();
  const whole = await data.read(shard(early.at));
  await corrupt(data, shard(early.at));
  const { runs: unstopped } = await train(data, { maxLost: 0.2 });
  for (const stopAt of [early.step + 1, steps - 1]) {
    await data.remove(shard(early.at));
    const runs = memoryStore();
    const stop = new AbortController();
    const every: RunControls = { maxLost: 0.2, checkpointEvery: 1, signal: stop.signal };
    const onEvent = (event: TrainEvent) => {
      if (event.type === 'checkpoint' && event.step >= stopAt) stop.abort();
    };
    await expect(train(data, { ...every, onEvent }, runs)).rejects.toThrow(InterruptedError);
    await data.write(shard(early.at), whole);
    await train(data, { maxLost: 0.2 }, runs);
    expect((await recordOf(runs)).lost).toEqual((await recordOf(unstopped)).lost);
    expect(await weights(runs)).toEqual(await weights(unstopped));
  }
});

it('one that is found damaged earlier after a resumption is left out from there on', async () => {
  const data = await freshData();
  await corrupt(data, shard(early.at));
  const { runs: unstopped } = await train(data, { maxLost: 0.2 });
  const runs = memoryStore();
  for (const path of await unstopped.list()) await runs.write(path, await unstopped.read(path));
  const record = await recordOf(runs);
  // As if the file had been whole for longer, before the process died without a checkpoint.
  const later = [{ ...record.lost![0]!, fromStep: steps - 1 }];
  await writeRun(folderStore(runs, 'expert-01'), { ...record, status: 'running', result: undefined, lost: later });
  await train(data, { maxLost: 0.2 }, runs);
  expect((await recordOf(runs)).lost).toEqual(record.lost);
  expect(await weights(runs)).toEqual(await weights(unstopped));
});

it('a router leaves out the same of its own pictures', async () => {
  const data = await freshData();
  const { manifest, rows } = await readLabelled(data, 'router');
  await data.remove('router/images.safetensors');
  await writeLabelled(data, 'router', manifest, rows, { shardBytes });
  await data.remove('router/images-00003.safetensors');
  const runs = memoryStore();
  const options = { device, data, architecture: routerTransformer, config: routerConfig(toySize) };
  const training = { ...toyTraining, steps: 10 };
  for (const prior of ['natural', 'balanced'] as const) {
    const record = await trainRouter({ ...options, runs: folderStore(runs, prior), training, prior, maxLost: 0.1 });
    expect(record.lost).toMatchObject([{ file: 'images-00003.safetensors', rows: 2 }]);
  }
});

describe('the proof of a run that lost pictures', () => {
  const proven = async () => {
    const data = await freshData();
    await corrupt(data, shard(early.at));
    const { runs } = await train(data, { maxLost: 0.2, proveEvery: 2 });
    return { run: folderStore(runs, 'expert-01'), data };
  };

  it('holds, with the data damaged or whole, and says what was left out', async () => {
    const { run, data } = await proven();
    for (const from of [data, await freshData()]) {
      const found = await verifyRun({ device, run, data: from, maxLost: 0.2 });
      expect(found.checked.every(({ exact, drift }) => exact && drift === 0)).toBe(true);
      expect(found.lost).toEqual((await readChain(run)).claim.lost);
      expect(found.lost).toMatchObject([{ rows: 2, fromStep: early.step }]);
    }
    await expect(verifyRun({ device, run, data })).rejects.toThrow(
      'expert-01 left out 2 of 12 pictures, whose files it says were damaged: that is more than 0.01 of them.',
    );
  });

  it.each([
    ['that nothing was', () => undefined],
    [
      'that it was another file',
      (file: string) => [{ file: file.replace(/\d\./, `${late.at}.`), rows: 2, fromStep: early.step }],
    ],
    ['that it was so later', (file: string) => [{ file, rows: 2, fromStep: early.step + 1 }]],
  ])('does not hold for one who says %s', async (_, lost) => {
    const { run } = await proven();
    const record = (await readRun(run))!;
    await writeRun(run, { ...record, lost: lost(record.lost![0]!.file) });
    await expect(verifyRun({ device, run, data: await freshData(), maxLost: 0.2 })).rejects.toThrow(
      'chain.json is not that of run.json',
    );
    await commit(run);
    await expect(verifyRun({ device, run, data: await freshData(), maxLost: 0.2 })).rejects.toThrow(
      'expert-01 was not trained as it says: replayed from step',
    );
  });

  it('is refused where it names files that the data has not', async () => {
    const { run, data } = await proven();
    const record = (await readRun(run))!;
    await writeRun(run, { ...record, lost: [{ file: 'images-00009.safetensors', rows: 2, fromStep: 1 }] });
    await commit(run);
    await expect(verifyRun({ device, run, data, maxLost: 0.2 })).rejects.toThrow(
      'the run leaves out "images-00009.safetensors" with 2 pictures, and its data has no such file.',
    );
  });
});

it('evaluation and the like, which have no run that could say so, name it', async () => {
  const data = await freshData();
  await data.remove(shard(0));
  const { rows } = await readCluster(data, 1);
  await expect(rows.read(0, 1)).rejects.toThrow(DamagedShardError);
});
