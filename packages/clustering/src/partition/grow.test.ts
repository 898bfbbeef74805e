// Clusters are added to a partition without a change to those that were there.
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Encoder, ImageBatch } from '../encoder/encoder.js';
import { growPartition } from './grow.js';
import { assign, partitionImages } from './make.js';
import type { Partition } from './partition.js';

let device: Device;
let old: Partition;
const plane: Encoder = {
  name: 'plane',
  dimensions: 2,
  parameters: {},
  encode: async ({ pixels, count }) => Float32Array.from({ length: 2 * count }, (_, i) => pixels[i]!),
};
/** Points around places, as the first two bytes of a picture each. */
const points = (...places: [number, number][]): ImageBatch => {
  const all = places.flatMap(([x, y]) => [x, y, x + 1, y, x, y + 1, x + 1, y + 1]);
  return { pixels: Uint8Array.from(all), count: all.length / 2, size: 1 };
};
beforeAll(async () => {
  device = await openDevice();
  const how = { clusters: 2, metric: 'euclidean' } as const;
  ({ partition: old } = await partitionImages(device, plane, points([10, 10], [200, 10]), how));
});
afterAll(() => device.close());

it('finds what is far from the old centroids, and leaves the rest where it belongs', async () => {
  const images = points([12, 10], [100, 200], [10, 240]);
  const { partition, labels } = await growPartition(device, plane, old, images, { add: 2 });
  expect(partition.centroids.subarray(0, 4)).toEqual(old.centroids);
  const [first, far, farther] = [0, 4, 8].map((at) => [...labels.subarray(at, at + 4)]);
  const near = [10, 200].findIndex((x) => Math.abs(old.centroids[0]! - x) < 5);
  expect(first).toEqual(new Array(4).fill(near === 0 ? 0 : 1));
  expect(new Set([...far!, ...farther!])).toEqual(new Set([2, 3]));
  expect(new Set(far).size).toBe(1);
  expect(partition).toMatchObject({ clusters: 4, sizes: [4, 4, 4, 4] });
  expect(partition.stages).toHaveLength(2);
  expect(await assign(device, plane, partition, images)).toEqual(labels);
});

it('is a function of the seed', async () => {
  const images = points([100, 200], [10, 240], [240, 240], [120, 120]);
  const make = async (seed: number) => (await growPartition(device, plane, old, images, { add: 2, seed })).partition;
  expect(await make(1)).toEqual(await make(1));
});

it('takes all pictures as one cluster, if that is asked for', async () => {
  const { partition, labels } = await growPartition(device, plane, old, points([10, 10], [11, 10]), { add: 'all' });
  expect([...new Set(labels)]).toEqual([2]);
  expect([...partition.centroids.subarray(4)]).toEqual([11, 10.5]);
});

it('says why it cannot', async () => {
  const images = points([10, 10]);
  const same: ImageBatch = { pixels: Uint8Array.of(10, 10, 10, 10), count: 2, size: 1 };
  const exact = { ...old, centroids: Float32Array.of(10, 10, 200, 10) };
  await expect(growPartition(device, plane, exact, same, { add: 1 })).rejects.toThrow(
    "no picture is left for a new cluster: all are near old centroids. Add fewer, or 'all'.",
  );
  await expect(growPartition(device, plane, old, images, { add: 0 })).rejects.toThrow('add is 0. Give a whole number');
  const random = { ...old, assignment: 'random' } as const;
  await expect(growPartition(device, plane, random, images, { add: 1 })).rejects.toThrow(
    "assigned by 'random' cannot grow",
  );
  await expect(growPartition(device, { ...plane, name: 'other' }, old, images, { add: 1 })).rejects.toThrow(
    'the encoder is "other"',
  );
});
