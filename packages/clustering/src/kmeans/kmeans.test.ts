import { type Device, hostNormal, key, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusteringError } from '../errors.js';
import { sklearn, sklearnFeatures } from '../sklearn.testing.js';
import { kMeans } from './kmeans.js';
import { prepareRows } from './nearest.js';
import { lloydReference } from './reference.testing.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const dimensions = 3;
const centres = [
  [4, 0, 0],
  [0, 4, 0],
  [0, 0, 4],
];

/** `each` rows around each of three directions, far apart: 3·each rows, cluster by cluster. */
function blobs(each: number, spread = 0.5, seed = 1): Float32Array {
  const noise = hostNormal(key(seed), centres.length * each * dimensions);
  return noise.map((z, i) => centres[Math.floor(i / (each * dimensions))]![i % dimensions]! + spread * z);
}

const cloud = (rows: number, seed = 2) => hostNormal(key(seed), rows * dimensions);

describe.each(['euclidean', 'spherical'] as const)('kMeans, %s', (metric) => {
  it('finds clusters that lie apart, whatever the seed', async () => {
    for (const seed of [0, 1, 2]) {
      const { labels, sizes } = await kMeans(device, blobs(50), dimensions, { clusters: 3, metric, seed, restarts: 2 });
      expect([...sizes].sort()).toEqual([50, 50, 50]);
      for (let blob = 0; blob < 3; blob++) expect(new Set(labels.subarray(50 * blob, 50 * (blob + 1))).size).toBe(1);
    }
  });

  it('takes the steps of the float64 reference', async () => {
    const features = cloud(300);
    const initial = features.slice(0, 5 * dimensions);
    const start = metric === 'spherical' ? prepareRows(initial, dimensions, metric) : initial;
    for (const maxIterations of [1, 2, 7]) {
      const options = { clusters: 5, metric, initial: start, maxIterations, tolerance: 0 };
      const found = await kMeans(device, features, dimensions, options);
      const expected = lloydReference(features, start, dimensions, { metric, iterations: found.iterations });
      expect(found.iterations).toBe(maxIterations);
      for (const [i, value] of found.centroids.entries()) expect(value).toBeCloseTo(expected.centroids[i]!, 5);
      expect([...found.labels]).toEqual([...expected.labels]);
      expect(found.inertia / expected.inertia).toBeCloseTo(1, 5);
    }
  });

  it('stops where another iteration changes nothing', async () => {
    const features = cloud(200);
    const found = await kMeans(device, features, dimensions, { clusters: 4, metric, restarts: 1, tolerance: 0 });
    expect(found.iterations).toBeLessThan(100);
    const further = lloydReference(features, found.centroids, dimensions, { metric, iterations: 3 });
    expect([...further.labels]).toEqual([...found.labels]);
  });

  it('is a function of its seed', async () => {
    const run = (seed: number) => kMeans(device, cloud(120), dimensions, { clusters: 6, metric, seed, restarts: 1 });
    const [a, b, other] = [await run(3), await run(3), await run(4)];
    expect(b).toEqual(a);
    expect([...other.centroids]).not.toEqual([...a.centroids]);
  });

  it('keeps the best of its restarts', async () => {
    const options = { clusters: 7, metric, seed: 5, seeding: 'random' as const };
    const several = await kMeans(device, cloud(150), dimensions, { ...options, restarts: 5 });
    const one = await kMeans(device, cloud(150), dimensions, { ...options, restarts: 1 });
    expect(several.inertia).toBeLessThanOrEqual(one.inertia);
    expect(several.restart).toBeLessThan(5);
    const three = await kMeans(device, cloud(150), dimensions, { ...options, restarts: several.restart + 1 });
    expect([...three.centroids]).toEqual([...several.centroids]);
  });

  it('seeds an empty cluster again, the same way each time', async () => {
    const features = blobs(20);
    // Two centroids on one blob, one where nothing is nearest to it.
    const initial = Float32Array.of(4, 0.1, 0, 3, 0, 0.1, -9, -9, -9);
    const run = () => kMeans(device, features, dimensions, { clusters: 3, metric, initial });
    const found = await run();
    expect(found.sizes.every((size) => size > 0)).toBe(true);
    expect(await run()).toEqual(found);
  });

  it('counts sizes and inertia of the labels that it returns', async () => {
    const features = cloud(90);
    const found = await kMeans(device, features, dimensions, { clusters: 4, metric, maxIterations: 2 });
    expect(found.sizes.reduce((sum, size) => sum + size)).toBe(90);
    const zero = lloydReference(features, found.centroids, dimensions, { metric, iterations: 0 });
    expect([...found.labels]).toEqual([...zero.labels]);
    expect(found.inertia / zero.inertia).toBeCloseTo(1, 5);
  });
});

describe('kMeans and scikit-learn', () => {
  it.each(sklearn.kMeans)('go the same way from the same start, K = $clusters', async ({ clusters, fromFirstRows }) => {
    const initial = sklearnFeatures.slice(0, clusters * sklearn.dimensions);
    const options = { clusters, metric: 'euclidean', initial, tolerance: 0 } as const;
    const found = await kMeans(device, sklearnFeatures, sklearn.dimensions, options);
    expect(found.inertia / fromFirstRows.inertia).toBeCloseTo(1, 4);
    expect([...found.labels]).toEqual([...fromFirstRows.labels]);
  });

  it.each(sklearn.kMeans)('end within 1 % of one inertia from their own starts, K = $clusters', async (known) => {
    const options = { clusters: known.clusters, metric: 'euclidean', restarts: 10 } as const;
    const { inertia } = await kMeans(device, sklearnFeatures, sklearn.dimensions, options);
    expect(inertia / known.inertia).toBeGreaterThan(0.9999); // theirs is the best of 50
    expect(inertia / known.inertia).toBeLessThan(1.01);
  });
});

describe('kMeans of many rows', () => {
  it('sums up chunk by chunk: 5 chunks take the steps of the reference', async () => {
    const rows = cloud(4 * 65_536 + 9, 6);
    const initial = rows.slice(0, 3 * dimensions);
    const options = { clusters: 3, metric: 'euclidean', initial, maxIterations: 1, tolerance: 0 } as const;
    const found = await kMeans(device, rows, dimensions, options);
    const known = lloydReference(rows, initial, dimensions, { metric: 'euclidean', iterations: 1 });
    for (const [i, value] of found.centroids.entries()) expect(value).toBeCloseTo(known.centroids[i]!, 4);
    expect(found.sizes.reduce((sum, size) => sum + size)).toBe(rows.length / dimensions);
    expect(found.inertia / known.inertia).toBeCloseTo(1, 5);
  });
});

describe('spherical k-means', () => {
  it('sees directions only: rows may have any length, centroids have length 1', async () => {
    const features = blobs(30);
    const scaled = features.map((value, i) => value * (1 + (Math.floor(i / dimensions) % 7)));
    const a = await kMeans(device, features, dimensions, { clusters: 3 });
    const b = await kMeans(device, scaled, dimensions, { clusters: 3 });
    expect([...b.labels]).toEqual([...a.labels]);
    for (let k = 0; k < 3; k++) expect(Math.hypot(...a.centroids.subarray(3 * k, 3 * k + 3))).toBeCloseTo(1, 5);
  });
});

describe('kMeans refuses', () => {
  const refused = (features: Float32Array, options: Parameters<typeof kMeans>[3]) =>
    expect(kMeans(device, features, dimensions, options)).rejects;

  it('fewer pictures than clusters, and fewer different ones', async () => {
    await refused(cloud(4), { clusters: 5 }).toThrow(ClusteringError);
    await refused(cloud(4), { clusters: 5 }).toThrow(
      '[kMeans] 5 clusters need as many pictures, got 4. Add pictures, or ask for fewer clusters.',
    );
    const copies = Float32Array.from({ length: 30 }, (_, i) => [1, 2, 3][i % 3]!);
    await refused(copies, { clusters: 2 }).toThrow('2 clusters need as many different pictures, got 1.');
    const two = Float32Array.from({ length: 24 }, (_, i) => (i < 12 ? [1, 2, 3] : [3, 2, 1])[i % 3]!);
    for (const metric of ['euclidean', 'spherical'] as const) {
      const few = '3 clusters need as many different pictures, got 2.';
      await refused(two, { clusters: 3, metric, seeding: 'random' }).toThrow(few);
      await refused(two, { clusters: 3, metric, initial: Float32Array.from({ length: 9 }, (_, i) => i) }).toThrow(few);
    }
  });

  it('numbers that are none, and options that mean nothing', async () => {
    const broken = cloud(10);
    broken[13] = Number.NaN;
    await refused(broken, { clusters: 2 }).toThrow('[kMeans] feature 1 of picture 4 is NaN. Fix the encoder.');
    await refused(cloud(10), { clusters: 0 }).toThrow('[kMeans] clusters is 0. Give a whole number from 1 on.');
    await refused(cloud(10), { clusters: 2, tolerance: -1 }).toThrow('tolerance is -1. Give a number from 0 on.');
    await refused(cloud(10).subarray(1), { clusters: 2 }).toThrow('29 numbers are no rows of 3. Pass [N, D] features.');
    await refused(cloud(10), { clusters: 2, initial: new Float32Array(5) }).toThrow(
      '[kMeans] initial has 5 numbers. Give the centroids, 2 × 3.',
    );
  });
});
