// Rows that are read give the bits of the same rows in memory, and few of them are read at a time.
import { type Device, hostNormal, hostUniform, key, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancedKMeans } from './balance/balanced.js';
import type { FeatureKeeper } from './encoder/encode.js';
import type { Encoder, ImageBatch } from './encoder/encoder.js';
import { changedRows, type FeatureRows, type Features, featureRows, gatherRows, pieceLength } from './feature-rows.js';
import { type KMeansOptions, kMeans } from './kmeans/kmeans.js';
import { memberSums } from './kmeans/lloyd.js';
import { kMeansMiniBatch } from './kmeans/mini-batch.js';
import { chunkLength, DeviceRows } from './kmeans/nearest.js';
import { twoStageKMeans } from './kmeans/two-stage.js';
import { clusterQuality, nearestRows } from './measures/quality.js';
import { growPartition } from './partition/grow.js';
import { assignImages, partitionImages } from './partition/make.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

/** Rows that are read, with the most that were read at once, and how many in all. */
function counted(values: Float32Array, dimensions: number) {
  const reads: number[] = [];
  const rows: FeatureRows = {
    count: values.length / dimensions,
    dimensions,
    read: async (from, count) => {
      reads.push(count);
      return values.slice(from * dimensions, (from + count) * dimensions);
    },
  };
  return { rows, most: () => Math.max(...reads), total: () => reads.reduce((sum, count) => sum + count, 0) };
}

const dimensions = 1100;
const count = 1100; // three pieces, one chunk
const clusters = 4;
const features = hostNormal(key(5), count * dimensions).map((value, i) => {
  return 1.5 + 0.2 * value + (Math.floor(i / dimensions) % clusters === i % clusters ? 1 : 0);
});
const metrics = ['spherical', 'euclidean'] as const;

describe('rows in three pieces', () => {
  const how: Omit<KMeansOptions, 'clusters'> = { restarts: 2, maxIterations: 2, tolerance: 0, seed: 3 };
  const labels = Uint32Array.from({ length: count }, (_, row) => row % clusters);
  const centroids = features.slice(0, clusters * dimensions);
  const far = centroids.map((value, i) => (i < 2 * dimensions ? value : 1e3)); // two clusters begin empty

  it('come in three pieces', () => {
    expect(pieceLength(dimensions)).toBe(512);
    expect(chunkLength(1024, dimensions)).toBe(512);
    expect(chunkLength(clusters, dimensions)).toBe(8192);
    expect([1, 208, 2 ** 11, 65_536].map(pieceLength)).toEqual([2 ** 20, 4096, 512, 512]);
  });

  const work: Record<string, (rows: Features, metric: 'spherical' | 'euclidean') => Promise<unknown>> = {
    kMeans: (rows, metric) => kMeans(device, rows, dimensions, { ...how, clusters, metric }),
    'kMeans from random rows': (rows, metric) =>
      kMeans(device, rows, dimensions, { ...how, clusters, metric, seeding: 'random' }),
    'kMeans with empty clusters': (rows, metric) =>
      kMeans(device, rows, dimensions, { ...how, clusters, metric, initial: far }),
    kMeansMiniBatch: (rows, metric) => {
      const some = { clusters, metric, batchSize: 300, sampleRows: 200, epochs: 2 };
      return kMeansMiniBatch(device, rows instanceof Float32Array ? () => [rows] : rows, dimensions, some);
    },
    twoStageKMeans: (rows, metric) =>
      twoStageKMeans(device, rows, dimensions, { ...how, clusters, fine: 9, metric, balance: 'auction' }),
    clusterQuality: (rows, metric) => clusterQuality(rows, dimensions, labels, { metric, sample: 100 }),
    nearestRows: (rows, metric) => nearestRows(rows, dimensions, labels, centroids, { metric }),
  };
  for (const [name, of] of Object.entries(work)) {
    it.each(metrics)(`${name}, %s: the result of rows in memory, 512 rows at a time`, async (metric) => {
      const { rows, most, total } = counted(features, dimensions);
      expect(await of(rows, metric)).toEqual(await of(features, metric));
      expect(most()).toBe(512);
      expect(total()).toBeGreaterThanOrEqual(count);
    });
  }

  it.each(metrics)('balancedKMeans, %s: the result of rows in memory, a chunk at a time', async (metric) => {
    const { rows, most } = counted(features, dimensions);
    const options = { ...how, clusters, metric, restarts: 1 };
    expect(await balancedKMeans(device, rows, dimensions, options)).toEqual(
      await balancedKMeans(device, features, dimensions, options),
    );
    expect(most()).toBe(count);
    expect(count).toBeLessThan(chunkLength(clusters, dimensions));
  });
});

describe('sums over the rows of each cluster', () => {
  // Sums so far go before a piece as whole blocks of rows: most of one filled up, one, and most of a second filled up.
  it.each([1, 512, 513])('have the bits of a whole chunk, K = %i', async (many) => {
    const centroids = hostUniform(key(8), many * dimensions).map((value) => value + 1);
    using targets = device.tensor(centroids, { shape: [many, dimensions] });
    const sumUp = memberSums(device);
    const read = async (rows: FeatureRows) => {
      using data = new DeviceRows(device, rows, many);
      const { sums, counts, inertia } = await sumUp(data, targets);
      return Promise.all([sums.read(), counts.read(), inertia.read()]);
    };
    const some = features.subarray(0, 600 * dimensions);
    const whole = await read(featureRows(some, dimensions));
    const pieces = await read(counted(some, dimensions).rows);
    // A list of half a million numbers takes seconds to compare as a value.
    for (const [i, values] of whole.entries()) {
      expect(pieces[i]!.findIndex((value, at) => !Object.is(value, values[at]))).toBe(-1);
    }
    expect((whole[1] as Float32Array).reduce((sum, n) => sum + n, 0)).toBe(600);
  });
});

describe('gatherRows', () => {
  const values = Float32Array.from({ length: 2000 }, (_, i) => i);
  const numbers = Uint32Array.of(999, 3, 500, 2, 3, 40, 998, 0);

  it('gives rows in the order in which they are named, and reads those close to each other together', async () => {
    const { rows, total } = counted(values, 2);
    const wanted = [...numbers].flatMap((row) => [2 * row, 2 * row + 1]);
    expect([...(await gatherRows(rows, numbers))]).toEqual(wanted);
    expect(total()).toBe(41 + 1 + 2); // 0 … 40, 500, 998 … 999
    expect([...(await gatherRows(featureRows(values, 2), numbers))]).toEqual(wanted);
  });

  it('reads changed rows as what they become', async () => {
    const twice = (piece: Float32Array) => piece.map((value) => 2 * value);
    const { rows } = counted(values, 2);
    expect(await gatherRows(changedRows(rows, twice), numbers)).toEqual(
      await gatherRows(changedRows(featureRows(values, 2), twice), numbers),
    );
  });
});

describe('rows that are wrong', () => {
  const cluster = (rows: FeatureRows) => kMeans(device, rows, dimensions, { clusters: 2 });

  it('name the picture whose feature is not finite', async () => {
    const broken = features.slice();
    broken[700 * dimensions + 3] = Number.NaN;
    const sentence = '[kMeans] feature 3 of picture 700 is NaN. Fix the encoder.';
    await expect(cluster(counted(broken, dimensions).rows)).rejects.toThrow(sentence);
    await expect(cluster(featureRows(broken, dimensions))).rejects.toThrow(sentence);
  });

  it('say what they should have had', async () => {
    const { rows } = counted(features, dimensions);
    await expect(cluster({ ...rows, read: async () => new Float32Array(5) })).rejects.toThrow(
      '[features] rows [0, 512) have 5 numbers, not 512 × 1100. Read each row in full.',
    );
    await expect(kMeans(device, rows, 3, { clusters: 2 })).rejects.toThrow(
      '[kMeans] the features have 1100 dimensions, not 3. Give the number that they have.',
    );
    await expect(kMeans(device, rows, dimensions, { clusters: 2000 })).rejects.toThrow(
      '[kMeans] 2000 clusters need as many pictures, got 1100. Add pictures, or ask for fewer clusters.',
    );
  });
});

describe('features that are kept elsewhere', () => {
  const corners: Encoder = {
    name: 'corners',
    dimensions: 3,
    parameters: {},
    encode: async ({ pixels, count }) =>
      Float32Array.from({ length: 3 * count }, (_, i) => 1 + pixels[12 * Math.floor(i / 3) + 4 * (i % 3)]!),
  };
  const images: ImageBatch = {
    pixels: Uint8Array.from(hostUniform(key(1), 60 * 12), (value) => 256 * value),
    count: 60,
    size: 2,
  };
  /** Rows without `values`. */
  const keep: FeatureKeeper = async (batches, shape) => {
    const all: number[] = [];
    for await (const batch of batches) all.push(...batch);
    expect(all).toHaveLength(shape.count * shape.dimensions);
    return counted(Float32Array.from(all), shape.dimensions).rows;
  };

  it.each([
    { clusters: 3 },
    { clusters: 3, stages: 2, balance: 'auction', assignment: 'fine-to-coarse' },
    { clusters: 3, assignment: 'random' },
  ] as const)('make the same partition: %o', async (how) => {
    for (const metric of metrics) {
      const { features, ...made } = await partitionImages(device, corners, images, { ...how, metric, keep });
      expect(features.values).toBeUndefined();
      const { features: inMemory, ...known } = await partitionImages(device, corners, images, { ...how, metric });
      expect(made).toEqual(known);
      expect(await features.read(0, 60)).toEqual(inMemory.values);
      const { labels } = await assignImages(device, corners, made.partition, images, keep);
      expect(labels).toEqual(made.labels);
    }
  });

  it.each([1, 2, 'all'] as const)('grow a partition by the same clusters: %s', async (add) => {
    for (const metric of metrics) {
      const few = { ...images, pixels: images.pixels.subarray(0, 20 * 12), count: 20 };
      const { partition } = await partitionImages(device, corners, few, { clusters: 2, metric });
      const { features: _, ...made } = await growPartition(device, corners, partition, images, { add, keep });
      const { features: __, ...known } = await growPartition(device, corners, partition, images, { add });
      expect(made).toEqual(known);
    }
  });
});
