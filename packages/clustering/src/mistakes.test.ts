// What a newcomer gets wrong first with clusters, and the sentence that comes back. Read them aloud.

import { memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import { expect, it } from 'vitest';
import {
  assign,
  auctionAssignment,
  coverageOf,
  type Encoder,
  encoderOf,
  kMeans,
  mutualInformation,
  nearestRows,
  type Partition,
  partitionImages,
  randomPartitionControl,
  readPartition,
  statisticsEncoder,
  twoStageKMeans,
  writePartition,
} from './index.js';

const images = (count: number, size = 8) => {
  const pixels = Uint8Array.from({ length: count * 3 * size * size }, (_, i) => (i * 7919) % 251);
  return { pixels, count, size };
};

it('k-means and partitions', async (context) => {
  const device = await openDevice().catch(() => undefined);
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const cluster = (features: number[], dimensions: number, change: object = {}) =>
    saidBy(() => kMeans(device!, Float32Array.from(features), dimensions, { clusters: 2, ...change }));
  expect(await cluster([1, 2, 3], 2)).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] 3 numbers are no rows of 2. Pass [N, D] features."`,
  );
  expect(await cluster([1, 2], 2)).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] 2 clusters need as many pictures, got 1. Add pictures, or ask for fewer clusters."`,
  );
  expect(await cluster([1, 2, 1, 2, 1, 2], 2)).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] 2 clusters need as many different pictures, got 1. Add pictures, or ask for fewer clusters."`,
  );
  expect(await cluster([1, 2, 3, 4], 2, { clusters: 0 })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] clusters is 0. Give a whole number from 1 on."`,
  );
  expect(await cluster([1, 2, 3, 4], 2, { clusters: 1.5 })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] clusters is 1.5. Give a whole number from 1 on."`,
  );
  expect(await cluster([1, 2, 3, 4], 2, { restarts: 0 })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] restarts is 0. Give a whole number from 1 on."`,
  );
  expect(await cluster([1, 2, 3, 4], 2, { tolerance: -1 })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] tolerance is -1. Give a number from 0 on."`,
  );
  expect(await cluster([1, 2, 3, Number.NaN], 2)).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] feature 1 of picture 1 is NaN. Fix the encoder."`,
  );
  expect(await cluster([1, 2, 3, 4], 2, { initial: new Float32Array(3) })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] initial has 3 numbers. Give the centroids, 2 × 2."`,
  );

  const encoder = statisticsEncoder();
  const bad: Encoder = { name: 'mine', dimensions: 4, parameters: {}, encode: async () => new Float32Array(3) };
  expect(await saidBy(() => partitionImages(device!, encoder, images(2), { clusters: 8 }))).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] 8 clusters need as many pictures, got 2. Add pictures, or ask for fewer clusters."`,
  );
  expect(await saidBy(() => partitionImages(device!, bad, images(2), { clusters: 1 }))).toMatchInlineSnapshot(
    `"ClusteringError: [encode] the encoder "mine" gave 3 numbers, not 2 × 4."`,
  );
  const choose = (change: object) =>
    saidBy(() => partitionImages(device!, encoder, images(3), { clusters: 2, ...change }));
  expect(await choose({ balance: 'auctions' })).toMatchInlineSnapshot(
    `"ClusteringError: [partitionImages] balance is "auctions". Give "none" or "auction"."`,
  );
  expect(await choose({ assignment: 'nearest' })).toMatchInlineSnapshot(
    `"ClusteringError: [partitionImages] assignment is "nearest". Give "nearest-centroid" or "fine-to-coarse" or "random"."`,
  );
  expect(await choose({ stages: 3 })).toMatchInlineSnapshot(
    `"ClusteringError: [partitionImages] stages is 3. Give 1 or 2."`,
  );
  const { partition } = await partitionImages(device!, encoder, images(3), { clusters: 2 });
  expect(await saidBy(() => assign(device!, bad, partition, images(1)))).toMatchInlineSnapshot(
    `"ClusteringError: [assign] the encoder is "mine" of 4 dimensions, the partition was made with "statistics" of 208. Pass that one."`,
  );
  const made = { ...partition, encoder: { ...partition.encoder, name: 'dinov2' } };
  expect(saidBy(() => encoderOf(made, [bad]))).toMatchInlineSnapshot(
    `"ClusteringError: [encoderOf] no encoder is called "dinov2". Known: "statistics", "mine". Pass yours as custom."`,
  );
  await device!.close();
});

it('pictures', async () => {
  const encode = (change: object) => saidBy(() => statisticsEncoder().encode({ ...images(2), ...change }));
  expect(await encode({ count: 3 })).toMatchInlineSnapshot(
    `"ShapeError: [statisticsEncoder] expected 3 × 3 × 8 × 8 = 576 bytes, got 384. Pass planar RGB."`,
  );
  expect(await encode({ pixels: new Uint8Array(2 * 4 * 64) })).toMatchInlineSnapshot(
    `"ShapeError: [statisticsEncoder] expected 2 × 3 × 8 × 8 = 384 bytes, got 512. Pass planar RGB."`,
  );
  expect(await saidBy(() => statisticsEncoder().encode(images(1, 1)))).toMatchInlineSnapshot(
    `"ClusteringError: [statisticsEncoder] pictures of 1 px are smaller than a raster of 4. Prepare larger ones, or make the raster coarser."`,
  );
  expect(saidBy(() => statisticsEncoder({ grid: 0 }))).toMatchInlineSnapshot(
    `"ValueError: [statisticsEncoder] grid is 0. Give a whole number from 1 on."`,
  );
});

it('measures', () => {
  expect(saidBy(() => mutualInformation([0, 1, 0], [0, 1]))).toMatchInlineSnapshot(
    `"ValueError: [mutualInformation] 3 clusters for 2 labels. Pass one of each a picture."`,
  );
  expect(saidBy(() => mutualInformation([], []))).toMatchInlineSnapshot(
    `"ValueError: [mutualInformation] there are no pictures. Pass at least one."`,
  );
  expect(saidBy(() => randomPartitionControl([0, 1], [0, 1], { partitions: 0 } as never))).toMatchInlineSnapshot(
    `"ValueError: [randomPartitionControl] partitions is 0. Give a whole number from 1 on."`,
  );
});

it('files', async () => {
  const partition: Partition = {
    version: 2,
    clusters: 2,
    encoder: { name: 'toy', dimensions: 3, parameters: {} },
    metric: 'spherical',
    assignment: 'nearest-centroid',
    seed: 0,
    balance: 'none',
    stages: [],
    sizes: [1, 1],
    centroids: new Float32Array(6),
  };
  const store = memoryStore();
  await writePartition(store, 'partition', partition);
  expect(await saidBy(() => readPartition(store, ''))).toMatchInlineSnapshot(
    `"FileNotFoundError: [store] there is no file "partition.json". Check the path, or make the file first."`,
  );
  const after = async (path: string, bytes: Uint8Array | string) => {
    const other = memoryStore({ [path]: bytes });
    for (const file of await store.list()) if (file !== path) await other.write(file, await store.read(file));
    return saidBy(() => readPartition(other, 'partition'));
  };
  const json = (change: object) => JSON.stringify({ ...partition, centroids: undefined, ...change });
  expect(await after('partition/partition.json', '<!doctype html>')).toMatchInlineSnapshot(
    `"CheckpointError: [readPartition] partition/partition.json is not JSON: Unexpected token '<', "<!doctype html>" is not valid JSON."`,
  );
  expect(await after('partition/partition.json', json({ version: 3 }))).toMatchInlineSnapshot(
    `"CheckpointError: [readPartition] partition/partition.json has version 3; this release reads 1 and 2. Partition again, or use the release that wrote it."`,
  );
  expect(await after('partition/partition.json', json({ metric: 'cosine' }))).toMatchInlineSnapshot(
    `"CheckpointError: [readPartition] partition/partition.json is not what this version reads: metric must be "spherical" or "euclidean", got "cosine". Partition again, or use the release that wrote it."`,
  );
  expect(await after('partition/partition.json', json({ clusters: 3 }))).toMatchInlineSnapshot(
    `"CheckpointError: [readPartition] partition/partition.json lists 2 sizes for 3 clusters."`,
  );
  const other = { centroids: { data: new Float32Array(8), shape: [2, 4], dtype: 'f32' as const } };
  expect(await after('partition/centroids.safetensors', writeSafetensors(other))).toMatchInlineSnapshot(
    `"CheckpointError: [readPartition] partition/centroids.safetensors should hold "centroids" f32 [2, 3], got f32 [2, 4]."`,
  );
});

it('names and numbers that nothing has', async (context) => {
  const device = await openDevice().catch(() => undefined);
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const rows = Float32Array.of(1, 2, 3, 4, 6, 5, 8, 7);
  const cluster = (change: object) => saidBy(() => kMeans(device!, rows, 2, { clusters: 2, ...change }));
  expect(await cluster({ metric: 'cosine' })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] metric is "cosine". Give "spherical" or "euclidean"."`,
  );
  expect(await cluster({ seeding: 'kmeans++' })).toMatchInlineSnapshot(
    `"ClusteringError: [kMeans] seeding is "kmeans++". Give "k-means++" or "random"."`,
  );
  const balance = 'equal' as 'auction';
  expect(await saidBy(() => twoStageKMeans(device!, rows, 2, { clusters: 2, balance }))).toMatchInlineSnapshot(
    `"ClusteringError: [twoStageKMeans] balance is "equal". Give "none" or "auction"."`,
  );
  expect(await saidBy(() => auctionAssignment([1, 2, 2, 3], [3, -1]))).toMatchInlineSnapshot(
    `"ClusteringError: [auctionAssignment] cluster 1 has -1 places. Give whole numbers from 0 on."`,
  );
  expect(await saidBy(() => auctionAssignment([1, 2, 2, 3], [0.5, 1.5]))).toMatchInlineSnapshot(
    `"ClusteringError: [auctionAssignment] cluster 0 has 0.5 places. Give whole numbers from 0 on."`,
  );
  expect(await saidBy(() => nearestRows(rows, 2, [0, 1, 7, 0], rows.slice(0, 4)))).toMatchInlineSnapshot(
    `"ClusteringError: [nearestRows] row 2 is in cluster 7, which is none. Pass the cluster of each row."`,
  );
  expect(await saidBy(() => coverageOf(rows, rows, 2, 0))).toMatchInlineSnapshot(
    `"ClusteringError: [coverageOf] neighbours is 0. Give a whole number from 1 on."`,
  );
  await device!.close();
});
