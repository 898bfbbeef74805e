// Features that are too many for memory are in a file while pictures are clustered: the clusters are the same, and nothing stays.
import { type Encoder, statisticsEncoder } from '@paris/clustering';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { preparePictures } from '../prepare/prepare.js';
import { generated, watchedStore } from '../testing/generated.js';
import { type PartitionOptions, partitionData, sweepPartitions } from './partition.js';

let device: Device;
let pictures: FileStore;
const count = 60;
const dimensions = statisticsEncoder().dimensions;
/** Files of records have one size in both: only features differ in where they are. */
const few = 4 * count * dimensions;
const scratch = /^paris-replacement-[0-9a-f-]+\/new\/features\.f32$/;

beforeAll(async () => {
  device = await openDevice();
  pictures = memoryStore();
  await preparePictures({ pictures: generated(count, 8), out: pictures, size: 8, order: 'name', holdout: 0.1 });
});
afterAll(() => device.close());

async function copyOf(store: FileStore): Promise<FileStore> {
  const copy = memoryStore();
  for (const path of await store.list()) await copy.write(path, await store.read(path));
  return copy;
}

async function contents(store: FileStore): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const path of await store.list()) files[path] = await store.read(path);
  return files;
}

/** What a partition writes, and says. */
async function partitioned(options: Omit<PartitionOptions, 'device' | 'data'>) {
  const watched = watchedStore(await copyOf(pictures));
  const report = await partitionData({ device, data: watched.store, ...options });
  return { report, files: await contents(watched.store), watched };
}

it('makes the clusters that features in memory make', async () => {
  const like = (await partitioned({ clusters: 2 })).watched.store;
  for (const how of [
    { clusters: 3 },
    { clusters: 3, metric: 'euclidean', balance: 'auction', outOfCluster: 0.1 },
    { clusters: 3, fine: 9, assignment: 'fine-to-coarse' },
    { clusters: 3, assignment: 'random' },
    { like },
    { like, add: 1 },
    { like, add: 'all' },
  ] as const) {
    const [inMemory, inFile] = [await partitioned(how), await partitioned({ ...how, shardBytes: few / 2 })];
    expect(inFile.report).toEqual(inMemory.report);
    expect(Object.keys(inFile.files).filter((path) => scratch.test(path))).toEqual([]);
    for (const path of ['partition/partition.json', 'partition/centroids.safetensors']) {
      expect(inFile.files[path]).toEqual(inMemory.files[path]);
    }
    const { train } = { train: inMemory.report.sizes.reduce((sum, size) => sum + size, 0) };
    expect(inMemory.watched.largestWrite(scratch)).toBe(0);
    if (!('like' in how)) expect(inFile.watched.largestWrite(scratch)).toBe(4 * train * dimensions);
  }
});

it('tries several K with features in a file, and leaves the folder as it was', async () => {
  const data = await copyOf(pictures);
  const watched = watchedStore(data);
  const rows = await sweepPartitions({ device, data: watched.store, clusters: [2, 4], shardBytes: 1000 });
  expect(rows).toEqual(await sweepPartitions({ device, data, clusters: [2, 4] }));
  expect(watched.largestWrite(scratch)).toBeGreaterThan(1000);
  expect(await contents(data)).toEqual(await contents(pictures));
});

it('removes the file after an error, an abort and a process that died', async () => {
  const data = await copyOf(pictures);
  const before = await contents(data);
  const controller = new AbortController();
  const encoder = (encode: Encoder['encode']): Encoder => ({ name: 'mine', dimensions: 2, parameters: {}, encode });
  const how = { device, data, clusters: 2, shardBytes: 100 };
  const broken = encoder(async ({ count }) => new Float32Array(2 * count).fill(Number.NaN, 3, 4));
  await expect(partitionData({ ...how, encoder: broken })).rejects.toThrow(
    '[kMeans] feature 1 of picture 1 is NaN. Fix the encoder.',
  );
  expect(await contents(data)).toEqual(before);
  const aborted = encoder(async ({ count }) => {
    controller.abort();
    return new Float32Array(2 * count);
  });
  await expect(partitionData({ ...how, encoder: aborted, signal: controller.signal })).rejects.toThrow('aborted');
  expect(await contents(data)).toEqual(before);

  // The state of the store when features are first read, as a process that is killed leaves it.
  let left: FileStore | undefined;
  const noting: FileStore = {
    ...data,
    read: async (path, ...more) => {
      if (scratch.test(path)) left ??= await copyOf(data);
      return data.read(path, ...more);
    },
  };
  await partitionData({ ...how, data: noting });
  const leftBehind = (await left!.list()).filter((path) => path.startsWith('paris-replacement-'));
  expect(leftBehind).toHaveLength(2);
  expect(leftBehind.some((path) => scratch.test(path))).toBe(true);
  const strangers = folderStore(left!, 'paris-replacement-of-mine');
  await strangers.write('features.f32', new Uint8Array(3));
  await partitionData({ ...how, data: left! });
  const after = await contents(left!);
  expect(after['paris-replacement-of-mine/features.f32']).toEqual(new Uint8Array(3));
  delete after['paris-replacement-of-mine/features.f32'];
  expect(after).toEqual(await contents(data));
});
