import { type Device, hostNormal, key, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featureRows } from '../feature-rows.js';
import { kMeans, sizesOf } from '../kmeans/kmeans.js';
import { nearestCentroids, prepareRows } from '../kmeans/nearest.js';
import { sklearn, sklearnFeatures } from '../sklearn.testing.js';
import { auctionAssignment, equalCapacities } from './auction.js';
import { balancedKMeans } from './balanced.js';

const total = (costs: ArrayLike<number>, labels: Uint32Array, clusters: number) =>
  labels.reduce((sum, label, row) => sum + costs[row * clusters + label]!, 0);

describe('auctionAssignment', () => {
  it('reaches the lowest cost that SciPy finds, to N·ε, and fills every place', () => {
    for (const { capacities, costs, total: lowest } of sklearn.assignment) {
      const labels = auctionAssignment(costs, capacities);
      expect(sizesOf(labels, capacities.length)).toEqual(capacities);
      const reached = total(costs, labels, capacities.length);
      const epsilon = (Math.max(...costs) - Math.min(...costs)) / 10_000;
      expect(reached).toBeGreaterThanOrEqual(lowest - 1e-6);
      expect(reached).toBeLessThanOrEqual(lowest + labels.length * epsilon + 1e-6);
      // Filling up in order costs far more: the bound above is not one that anything meets.
      const inOrder = Uint32Array.from(capacities.flatMap((n, k) => new Array<number>(n).fill(k)));
      expect(total(costs, inOrder, capacities.length)).toBeGreaterThan(1.5 * lowest);
    }
  });

  it('takes costs that are all the same, one cluster, and costs of either sign', () => {
    expect([...auctionAssignment([3, 3, 3, 3, 3, 3], [1, 2])]).toEqual([0, 1, 1]);
    expect([...auctionAssignment([5, 1, 2], [3])]).toEqual([0, 0, 0]);
    expect([...auctionAssignment([-5, 0, -9, -1, 0, 3], [1, 2])]).toEqual([1, 0, 1]); // −9 + 0 + 3 < −5 − 1 + 3
  });

  it('gives no row to a cluster without places', () => {
    expect([...auctionAssignment([1, 2, 3, 4], [0, 2])]).toEqual([1, 1]);
    expect([...auctionAssignment([0, 5, 1, 0, 1, 5], [0, 1, 1])]).toEqual([2, 1]);
    expect([...auctionAssignment([], [0, 0])]).toEqual([]);
  });

  it('refuses costs that are not finite', () => {
    for (const cost of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => auctionAssignment([1, cost, 3, 4], [1, 1])).toThrow(
        '[auctionAssignment] a cost is NaN or infinite. Give finite costs.',
      );
  });

  it('stays fast where every row wants the same cluster', () => {
    const costs = hostNormal(key(4), 4000 * 8).map((z, i) => (i % 8 === 0 ? 0 : 1) + 0.01 * z);
    const started = performance.now();
    const labels = auctionAssignment(costs, equalCapacities(4000, 8));
    expect(sizesOf(labels, 8)).toEqual(new Array(8).fill(500));
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('refuses places that are not as many as the rows', () => {
    expect(() => auctionAssignment([1, 2, 3, 4], [1, 2])).toThrow(
      '[auctionAssignment] 3 places for 2 rows. Give each row one place.',
    );
  });
});

describe('balancedKMeans', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice();
  });
  afterAll(() => device.close());

  const { dimensions } = sklearn;
  const options = { clusters: 7, metric: 'euclidean', seed: 1 } as const;

  it('makes clusters that differ by one row at most, and is a function of its seed', async () => {
    const found = await balancedKMeans(device, sklearnFeatures, dimensions, options);
    expect([...found.sizes].sort()).toEqual([57, 57, 57, 57, 57, 57, 58]);
    expect(sizesOf(found.labels, 7)).toEqual(found.sizes);
    expect(await balancedKMeans(device, sklearnFeatures, dimensions, options)).toEqual(found);
    const other = await balancedKMeans(device, sklearnFeatures, dimensions, { ...options, seed: 2 });
    expect([...other.centroids]).not.toEqual([...found.centroids]);
  });

  it('costs more than without balance and less than filling clusters up by distance', async () => {
    const balanced = await balancedKMeans(device, sklearnFeatures, dimensions, options);
    const free = await kMeans(device, sklearnFeatures, dimensions, options);
    expect(Math.max(...free.sizes)).toBeGreaterThan(58);
    expect(balanced.inertia).toBeGreaterThan(free.inertia);
    // Greedy: each row in turn to the nearest of the same centroids that has room.
    const room = equalCapacities(400, 7);
    let greedy = 0;
    for (let row = 0; row < 400; row++) {
      const distances = room.map((_, k) =>
        Array.from({ length: dimensions }, (_, d) => d).reduce(
          (sum, d) => sum + (sklearnFeatures[row * dimensions + d]! - balanced.centroids[k * dimensions + d]!) ** 2,
          0,
        ),
      );
      const [best] = [...room.keys()].filter((k) => room[k]! > 0).sort((a, b) => distances[a]! - distances[b]!);
      room[best!]! -= 1;
      greedy += distances[best!]!;
    }
    expect(balanced.inertia).toBeLessThan(greedy);
  });

  it('keeps spherical centroids at length 1, and leaves plain assignment to the nearest', async () => {
    const found = await balancedKMeans(device, sklearnFeatures, dimensions, { clusters: 4 });
    for (let k = 0; k < 4; k++) {
      const centroid = found.centroids.subarray(k * dimensions, (k + 1) * dimensions);
      expect(Math.hypot(...centroid)).toBeCloseTo(1, 5);
    }
    const rows = prepareRows(sklearnFeatures, dimensions, 'spherical');
    const { labels, distances } = await nearestCentroids(device, featureRows(rows, dimensions), found.centroids);
    expect(distances.reduce((sum, distance) => sum + distance)).toBeLessThan(found.inertia);
    expect(Math.max(...sizesOf(labels, 4))).toBeGreaterThan(100);
  });

  it('refuses more distances than it keeps', async () => {
    await expect(balancedKMeans(device, new Float32Array(2 ** 16), 1, { clusters: 1024 })).rejects.toThrow(
      '[balancedKMeans] 65536 × 1024 distances are more than 2²⁵. Balance the fine centroids of two stages instead.',
    );
  });
});
