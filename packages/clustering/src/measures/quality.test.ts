import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sklearn, sklearnFeatures } from '../sklearn.testing.js';
import { mutualInformation } from './information.js';
import { clusterQuality, nearestRows } from './quality.js';
import { sweepClusters } from './sweep.js';

const { dimensions } = sklearn;

describe('clusterQuality', () => {
  it.each(sklearn.kMeans)('agrees with scikit-learn, K = $clusters', async ({ clusters, fromFirstRows, ...known }) => {
    for (const metric of ['euclidean', 'spherical'] as const) {
      const found = await clusterQuality(sklearnFeatures, dimensions, fromFirstRows.labels, { metric });
      expect(found.silhouette).toBeCloseTo(known[metric].silhouette, 5);
      expect(found.daviesBouldin / known[metric].daviesBouldin).toBeCloseTo(1, 5);
      expect(found.sizes).toHaveLength(clusters);
    }
    const { nats, normalised } = mutualInformation(fromFirstRows.labels, sklearn.component);
    expect(nats).toBeCloseTo(known.mutualInformation, 6);
    expect(normalised).toBeCloseTo(known.normalisedMutualInformation, 6);
  });

  it('takes a sample for the silhouette, the same for the same seed', async () => {
    const { fromFirstRows, euclidean } = sklearn.kMeans[1]!;
    const sampled = (seed: number) =>
      clusterQuality(sklearnFeatures, dimensions, fromFirstRows.labels, { metric: 'euclidean', sample: 200, seed });
    const [first, other] = [await sampled(1), await sampled(2)];
    expect(await sampled(1)).toEqual(first);
    expect(first.silhouette).not.toBe(other.silhouette);
    expect(Math.abs(first.silhouette - euclidean.silhouette)).toBeLessThan(0.05);
  });

  it('works out by hand: two pairs, one row alone, an empty cluster', async () => {
    const rows = Float32Array.of(0, 1, 10, 11, 30);
    const { silhouette, daviesBouldin, sizes } = await clusterQuality(rows, 1, [0, 0, 1, 1, 3], {
      metric: 'euclidean',
    });
    expect(sizes).toEqual([2, 2, 0, 1]);
    // (b − a) / max: 9.5/10.5, 8.5/9.5 and the same mirrored; 0 for the row alone
    expect(silhouette).toBeCloseTo((2 * (9.5 / 10.5) + 2 * (8.5 / 9.5)) / 5, 6);
    expect(daviesBouldin).toBeCloseTo((0.1 + 0.1 + 0.5 / 19.5) / 3, 6);
    const equal = await clusterQuality(new Float32Array(6).fill(2), 1, [0, 0, 1, 1, 2, 2], { metric: 'euclidean' });
    expect(equal.daviesBouldin).toBe(0); // as scikit-learn has it where means coincide
    expect((await clusterQuality(rows, 1, [0, 0, 0, 0, 0])).silhouette).toBeNaN();
  });

  it('refuses labels that are not one a row', async () => {
    await expect(clusterQuality(Float32Array.of(1, 2), 1, [0])).rejects.toThrow(
      '[clusterQuality] 1 labels for 2 rows. Pass the cluster of each row.',
    );
  });
});

describe('nearestRows', () => {
  it('lists the rows of each cluster that are nearest to its centroid, nearest first', async () => {
    const rows = Float32Array.of(5, 0, 1, 2, 30, 4.5);
    const found = await nearestRows(rows, 1, [0, 0, 0, 0, 1, 0], Float32Array.of(2, 31), {
      count: 3,
      metric: 'euclidean',
    });
    expect(found).toEqual([[3, 2, 1], [4]]);
  });
});

describe('sweepClusters', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice();
  });
  afterAll(() => device.close());

  it('puts several K side by side, within 1 % of the inertia of scikit-learn', async () => {
    const counts = sklearn.kMeans.map(({ clusters }) => clusters);
    const options = { metric: 'euclidean', restarts: 10, labels: sklearn.component } as const;
    const rows = await sweepClusters(device, sklearnFeatures, dimensions, counts, options);
    expect(rows.map(({ clusters }) => clusters)).toEqual(counts);
    for (const [i, row] of rows.entries()) {
      expect(row.inertia / sklearn.kMeans[i]!.inertia).toBeGreaterThan(0.9999);
      expect(row.inertia / sklearn.kMeans[i]!.inertia).toBeLessThan(1.01);
      expect(row.sizes).toHaveLength(row.clusters);
      expect(row.information!.nats).toBeGreaterThan(0.3);
    }
    await expect(sweepClusters(device, sklearnFeatures, dimensions, [])).rejects.toThrow(
      '[sweepClusters] there is no K to try. Give one at least.',
    );
  });
});
