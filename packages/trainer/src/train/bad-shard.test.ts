// A shard that turns out to be damaged in the middle of an epoch: the training stops with a good checkpoint before it learns
// anything of the shard, and resumes when the shard is whole again.
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readCluster, writeCluster } from '../data/files.js';
import { DataError } from '../errors.js';
import { listCheckpoints } from '../run/checkpoint.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig } from './configs.js';
import { trainExpert } from './expert.js';

let device: Device | undefined;
let data: FileStore;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  data = memoryStore();
  await writeToyData(data);
  const { manifest, rows } = await readCluster(data, 1);
  await data.remove('clusters/01/images.safetensors');
  await writeCluster(data, manifest, rows, { shardBytes: 500 }); // two pictures in a file
});
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

/** One epoch. */
const train = (from: FileStore, runs: FileStore) =>
  trainExpert({
    ...{ device: device!, data: from, cluster: 1, runs, architecture: dit, config: ditConfig(toySize) },
    training: { ...toyTraining, steps: 6, batchSize: 2 },
  });

it('stops with a checkpoint, names the shard, and resumes to the same bytes', async () => {
  const order: string[] = [];
  const noting: FileStore = {
    ...data,
    read: async (path, ...more) => {
      if (path.endsWith('.safetensors') && !order.includes(path)) order.push(path);
      return data.read(path, ...more);
    },
  };
  const undisturbed = memoryStore();
  await train(noting, undisturbed);
  expect(order).toHaveLength(6);

  const last = order.at(-1)!;
  const whole = await data.read(last);
  await data.write(
    last,
    whole.map((byte, at) => (at === whole.length - 50 ? byte ^ 1 : byte)),
  );
  const runs = memoryStore();
  const error = await train(data, runs).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toContain(`${last} has other bytes than were written`);
  const [step] = await listCheckpoints(folderStore(runs, 'expert-01'));
  expect(step).toBeGreaterThan(0);
  expect(step).toBeLessThan(6);

  await data.write(last, whole);
  await train(data, runs);
  const weights = 'expert-01/model.safetensors';
  expect(await runs.read(weights)).toEqual(await undisturbed.read(weights));
});
