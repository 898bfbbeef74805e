import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featureRows } from '../feature-rows.js';
import { sklearn, sklearnFeatures } from '../sklearn.testing.js';
import { sizesOf } from './kmeans.js';
import { kMeansMiniBatch } from './mini-batch.js';
import { nearestCentroids } from './nearest.js';
import { lloydReference } from './reference.testing.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const { dimensions } = sklearn;

/** The rows in pieces of `rows`, as from a disk. */
const pieces = (rows: number) =>
  async function* () {
    for (let from = 0; from < sklearnFeatures.length; from += rows * dimensions) {
      yield sklearnFeatures.subarray(from, from + rows * dimensions);
    }
  };
const options = { clusters: 4, metric: 'euclidean', batchSize: 100, seed: 2 } as const;

describe('kMeansMiniBatch', () => {
  it.each(sklearn.kMeans)(
    'comes as near to the best clusters as that of scikit-learn: K = $clusters',
    async (known) => {
      const some = { ...options, clusters: known.clusters, sampleRows: 100, restarts: 10 };
      const found = await kMeansMiniBatch(device, pieces(64), dimensions, some);
      expect(found.inertia / known.inertia).toBeLessThan(
        Math.max(1.1, (1.03 * known.miniBatchInertia) / known.inertia),
      );
      const placed = await nearestCentroids(device, featureRows(sklearnFeatures, dimensions), found.centroids);
      expect([...found.labels]).toEqual([...placed.labels]);
      expect(found.sizes).toEqual(sizesOf(found.labels, known.clusters));
    },
  );

  it('does not depend on how the rows come in pieces, and is a function of its seed', async () => {
    const found = await kMeansMiniBatch(device, pieces(64), dimensions, options);
    expect(await kMeansMiniBatch(device, pieces(7), dimensions, options)).toEqual(found);
    expect(await kMeansMiniBatch(device, () => [sklearnFeatures], dimensions, options)).toEqual(found);
    const other = await kMeansMiniBatch(device, pieces(64), dimensions, { ...options, seed: 3 });
    expect([...other.centroids]).not.toEqual([...found.centroids]);
  });

  it('keeps each centroid at the mean of all rows it took: one batch of all rows is one step of Lloyd', async () => {
    const initial = sklearnFeatures.slice(0, 4 * dimensions);
    const all = { ...options, initial, batchSize: 400, epochs: 1 };
    const { centroids } = await kMeansMiniBatch(device, pieces(100), dimensions, all);
    const known = lloydReference(sklearnFeatures, initial, dimensions, { metric: 'euclidean', iterations: 1 });
    for (const [i, value] of centroids.entries()) expect(value).toBeCloseTo(known.centroids[i]!, 4);
  });

  it('seeds an empty cluster again', async () => {
    const initial = sklearnFeatures.slice(0, 4 * dimensions).fill(999, 3 * dimensions);
    const found = await kMeansMiniBatch(device, pieces(100), dimensions, { ...options, initial });
    expect(Math.min(...found.sizes)).toBeGreaterThan(0);
  });

  it('refuses too few rows, a source that changes, and numbers that are none', async () => {
    const refused = (source: () => Iterable<Float32Array>, more: object = {}) =>
      expect(kMeansMiniBatch(device, source, dimensions, { ...options, ...more })).rejects;
    await refused(() => [sklearnFeatures.subarray(0, 3 * dimensions)]).toThrow(
      '[kMeansMiniBatch] 4 clusters need as many pictures, got 3. Add pictures, or ask for fewer clusters.',
    );
    await refused(() => [Float32Array.of(1, 2, 3, Number.NaN, 5, 6)]).toThrow('feature 3 of picture 0 is NaN.');
    await refused(() => [Float32Array.of(1, 2)]).toThrow('2 numbers are no rows of 6.');
    await refused(() => [sklearnFeatures], { batchSize: 0 }).toThrow('batchSize is 0. Give a whole number from 1 on.');
    let calls = 0;
    const shrinking = () => [sklearnFeatures.subarray(0, (400 - 10 * calls++) * dimensions)];
    await refused(shrinking, { epochs: 1 }).toThrow(
      '[kMeansMiniBatch] the first pass had 400 rows, the last has 380. Let the source give the same rows at each call.',
    );
  });
});
