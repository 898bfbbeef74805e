import { type Device, hostNormal, key, openDevice } from '@paris/tensor';
import { checkOp, sample } from '@paris/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featureRows } from '../feature-rows.js';
import { chunkLength, nearestCentroids } from './nearest.js';
import { nearestIndex } from './nearest-index.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const dimensions = 3;
const cloud = (rows: number, seed = 2) => hostNormal(key(seed), rows * dimensions);

describe.each(['registers', 'workgroup'] as const)('nearestIndex, %s', (tile) => {
  it('finds what plain JavaScript finds, at odd sizes', async () => {
    const sizes = [
      [1, 1, 1],
      [65, 9, 3],
      [130, 67, 17],
      [7, 130, 64],
    ] as const;
    const none = 'its callers move finite rows near 0, where products do not cancel';
    const edges = { infinities: { none }, offset: { none } };
    const samples = sizes.map(([n, k, d], i) =>
      sample.call([sample.normal([n, d], i), sample.normal([k, d], i + 50), sample.normal([k], i + 90)], { tile }),
    );
    const { compared } = await checkOp(nearestIndex, { device, samples, edges });
    expect(compared.forward).toBeGreaterThanOrEqual(1 + 65 + 130 + 7);
  });

  it('gives equally near centroids the lower index', async () => {
    const centroids = Array.from({ length: 40 }, (_, k) => [k % 2, k % 5]);
    const half = centroids.map(([x = 0, y = 0]) => (x * x + y * y) / 2);
    const rows = Array.from({ length: 10 }, (_, k) => centroids[k + 30]!);
    const found = await nearestIndex(device.tensor(rows), device.tensor(centroids), device.tensor(half), {
      tile,
    }).read();
    expect([...found]).toEqual([...Array(10).keys()]);
  });
});

describe('nearestCentroids', () => {
  it('gives a row the same bits alone and among 3000 others', async () => {
    const rows = cloud(3001);
    const centroids = cloud(8, 9);
    const all = await nearestCentroids(device, featureRows(rows, dimensions), centroids);
    for (const i of [0, 1023, 1024, 3000]) {
      const alone = await nearestCentroids(device, featureRows(rows.slice(3 * i, 3 * i + 3), dimensions), centroids);
      expect([alone.labels[0], alone.distances[0]]).toEqual([all.labels[i], all.distances[i]]);
    }
  });

  it('gives equally near centroids the lower index, and a row that is its centroid the distance 0', async () => {
    const centroids = Float32Array.of(1, 0, 0, 1, 0, 0, 0, 1, 0);
    const rows = Float32Array.of(1, 0, 0, 0, 2, 0);
    const { labels, distances } = await nearestCentroids(device, featureRows(rows, 3), centroids);
    expect([...labels]).toEqual([0, 2]);
    expect([...distances]).toEqual([0, 1]);
  });

  it('never holds rows × centroids: chunks stay below 2³¹ operations and 64 MiB', () => {
    expect(chunkLength(1024, 64)).toBe(16384);
    expect(chunkLength(8, 208)).toBe(65536);
    expect(chunkLength(8, 1024) * 1024 * 4).toBeLessThanOrEqual(2 ** 26);
  });
});
