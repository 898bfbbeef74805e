// Groups far from 0 must be separated like those near it: squares of large numbers have no digits left for what differs.
import { type Device, hostNormal, key, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balancedKMeans } from '../balance/balanced.js';
import { featureRows } from '../feature-rows.js';
import { kMeans } from './kmeans.js';
import { kMeansMiniBatch } from './mini-batch.js';
import { nearestCentroids } from './nearest.js';
import { twoStageKMeans } from './two-stage.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const dimensions = 3;
const count = 120;

/** Two groups 100 apart on the first axis, far from 0 on each. */
function groups(offset: number): Float32Array {
  const noise = hostNormal(key(3), count * dimensions);
  return noise.map((z, i) => {
    const second = Math.floor(i / dimensions) % 2 === 1 && i % dimensions === 0;
    return offset * (1 - 2 * (i % dimensions)) + (second ? 100 : 0) + z;
  });
}
const options = { clusters: 2, metric: 'euclidean' } as const;
const alternating = (labels: Uint32Array) => labels.every((label, i) => label === labels[i % 2]!);

it.each([0, 1e6, -1e6])('two groups 100 apart at %d', async (offset) => {
  const rows = groups(offset);
  const found = await kMeans(device, rows, dimensions, options);
  const balanced = await balancedKMeans(device, rows, dimensions, options);
  const batches = await kMeansMiniBatch(device, () => [rows], dimensions, {
    ...options,
    batchSize: 32,
    sampleRows: 40,
  });
  const { coarse, fine } = await twoStageKMeans(device, rows, dimensions, { ...options, fine: 6 });
  const twoStage = { sizes: [60, 60], labels: fine.labels.map((label) => coarse.labels[label]!) };
  for (const { sizes, labels } of [found, balanced, batches, twoStage]) {
    expect(sizes).toEqual([60, 60]);
    expect(alternating(labels) && labels[0] !== labels[1]).toBe(true);
  }
  for (const { centroids, inertia } of [found, balanced, batches]) {
    expect(Math.abs(Math.abs(centroids[0]! - centroids[3]!) - 100)).toBeLessThan(0.5);
    expect(Math.abs((centroids[0]! + centroids[3]!) / 2 - (offset + 50))).toBeLessThan(0.5);
    expect(inertia / (count * dimensions)).toBeGreaterThan(0.8); // the variance of the noise is 1
    expect(inertia / (count * dimensions)).toBeLessThan(1.2);
  }
  const placed = await nearestCentroids(device, featureRows(rows, dimensions), found.centroids);
  expect([...placed.labels]).toEqual([...found.labels]);
});

it('starts from the centroids that are given, in the coordinates of the rows', async () => {
  const initial = Float32Array.of(1e6 + 10, -1e6, -3e6, 1e6 + 90, -1e6, -3e6);
  const found = await kMeans(device, groups(1e6), dimensions, { ...options, initial });
  expect(found.centroids[0]! - 1e6).toBeCloseTo(0, 0);
  expect(found.centroids[3]! - 1e6).toBeCloseTo(100, 0);
  expect([...found.labels.slice(0, 4)]).toEqual([0, 1, 0, 1]);
});

it.each([1e18, 1e30, 3e38])('rows whose squared distances overflow are refused: ±%d', async (size) => {
  const rows = groups(0).map((value) => (value > 50 ? size : -size) + value);
  const refused =
    /^\[distances\] a feature is (\d|Infinity).* away from the mean: squared distances overflow f32\. Scale/;
  await expect(kMeans(device, rows, dimensions, options)).rejects.toThrow(refused);
  const source = { count, dimensions, read: async (from: number, n: number) => rows.slice(3 * from, 3 * (from + n)) };
  await expect(kMeans(device, source, dimensions, options)).rejects.toThrow(refused);
  await expect(balancedKMeans(device, rows, dimensions, options)).rejects.toThrow(refused);
  await expect(twoStageKMeans(device, rows, dimensions, { ...options, fine: 6 })).rejects.toThrow(refused);
  const batches = { ...options, batchSize: 32, sampleRows: 40 };
  await expect(kMeansMiniBatch(device, () => [rows], dimensions, batches)).rejects.toThrow(refused);
  await expect(kMeans(device, groups(0), dimensions, { ...options, initial: rows.slice(0, 6) })).rejects.toThrow(
    refused,
  );
  const near = Float32Array.of(0, 0, 0, 1, 1, 1);
  await expect(
    nearestCentroids(
      device,
      featureRows(
        rows.map((x) => 1e3 * x),
        3,
      ),
      near,
    ),
  ).rejects.toThrow(refused);
});

it('rows of any size that are as far apart as squares allow are separated, and directions of any size', async () => {
  for (const metric of ['euclidean', 'spherical'] as const) {
    const size = metric === 'euclidean' ? 1e15 : 1e30;
    const rows = groups(0).map((value) => (value > 50 ? size : -size) * (1 + 1e-3 * value));
    const { labels, inertia } = await kMeans(device, rows, dimensions, { clusters: 2, metric });
    expect(alternating(labels) && labels[0] !== labels[1], metric).toBe(true);
    expect(Number.isFinite(inertia)).toBe(true);
  }
});
