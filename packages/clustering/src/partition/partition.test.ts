import { CheckpointError, type Device, openDevice } from '@paris/tensor';
import { memoryStore } from '@paris/tensor/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Encoder, ImageBatch } from '../encoder/encoder.js';
import { statisticsEncoder } from '../encoder/statistics.js';
import { readPartition, writePartition } from './files.js';
import { assign, encoderOf, partitionImages } from './make.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const size = 8;

/** Twelve pictures: four of each colour, a little different in brightness. */
function pictures(): ImageBatch {
  const count = 12;
  const pixels = new Uint8Array(count * 3 * size * size);
  for (let i = 0; i < count; i++) {
    const at = (3 * i + (i % 3)) * size * size;
    pixels.fill(180 + 5 * i, at, at + size * size);
  }
  return { pixels, count, size };
}

const one = (images: ImageBatch, i: number): ImageBatch => ({
  pixels: images.pixels.slice(i * 3 * size * size, (i + 1) * 3 * size * size),
  count: 1,
  size,
});

/** An encoder of somebody else's: the mean of each channel, answered later. */
const means: Encoder = {
  name: 'means',
  dimensions: 3,
  parameters: { note: 'mean of each channel' },
  encode: async ({ pixels, count }) =>
    Float32Array.from({ length: 3 * count }, (_, i) =>
      pixels.subarray(i * size * size, (i + 1) * size * size).reduce((sum, byte) => sum + byte / (size * size), 0),
    ),
};

describe('partitionImages', () => {
  it('clusters by colour, and says how', async () => {
    const encoder = statisticsEncoder();
    const { partition, labels } = await partitionImages(device, encoder, pictures(), { clusters: 3, seed: 7 });
    expect(partition.sizes).toEqual([4, 4, 4]);
    for (let i = 3; i < 12; i++) expect(labels[i]).toBe(labels[i % 3]);
    expect(partition).toMatchObject({
      version: 1,
      clusters: 3,
      encoder: { name: 'statistics', dimensions: encoder.dimensions, parameters: encoder.parameters },
      metric: 'spherical',
      assignment: 'nearest-centroid',
      seed: 7,
      kMeans: { restarts: 3 },
    });
    expect(partition.centroids).toHaveLength(3 * encoder.dimensions);
  });

  it('places a picture as it did when it was among those that made the centroids', async () => {
    for (const encoder of [statisticsEncoder({ grid: 2 }), means]) {
      const images = pictures();
      const { partition, labels } = await partitionImages(device, encoder, images, {
        clusters: 3,
        metric: 'euclidean',
      });
      expect(await assign(device, encoder, partition, images)).toEqual(labels);
      const again = encoderOf(JSON.parse(JSON.stringify(partition)), [means]);
      for (const i of [0, 5, 11])
        expect([...(await assign(device, again, partition, one(images, i)))]).toEqual([labels[i]]);
    }
  });

  it('refuses another encoder, and an encoder that does not keep its word', async () => {
    const { partition } = await partitionImages(device, means, pictures(), { clusters: 2 });
    await expect(assign(device, statisticsEncoder(), partition, pictures())).rejects.toThrow(
      '[assign] the encoder is "statistics" of 208 dimensions, the partition was made with "means" of 3. Pass that one.',
    );
    expect(() => encoderOf(partition)).toThrow(
      '[encoderOf] no encoder is called "means". Known: "statistics". Pass yours as custom.',
    );
    const liar = { ...means, dimensions: 5 };
    await expect(partitionImages(device, liar, pictures(), { clusters: 2 })).rejects.toThrow(
      '[encode] the encoder "means" gave 36 numbers, not 12 × 5.',
    );
  });
});

describe('partition files', () => {
  it('come back as they were, and are the same bytes each time', async () => {
    const { partition } = await partitionImages(device, statisticsEncoder(), pictures(), { clusters: 3 });
    const [a, b] = [memoryStore(), memoryStore()];
    await writePartition(a, 'partition', partition);
    await writePartition(b, '', await readPartition(a, 'partition'));
    expect(await a.list()).toEqual(['partition/centroids.safetensors', 'partition/partition.json']);
    expect(await readPartition(a, 'partition')).toEqual(partition);
    for (const name of ['centroids.safetensors', 'partition.json']) {
      expect(await b.read(name)).toEqual(await a.read(`partition/${name}`));
    }
  });

  it('are refused with the file and the field', async () => {
    const { partition } = await partitionImages(device, means, pictures(), { clusters: 3 });
    const written = async (change: (json: Record<string, unknown>) => unknown) => {
      const store = memoryStore();
      await writePartition(store, 'p', partition);
      const json = JSON.parse(new TextDecoder().decode(await store.read('p/partition.json')));
      await store.write('p/partition.json', new TextEncoder().encode(JSON.stringify(change(json))));
      return store;
    };
    const refused = async (change: (json: Record<string, unknown>) => unknown) =>
      expect(readPartition(await written(change), 'p')).rejects;
    await (await refused((json) => ({ ...json, metric: 'hamming' }))).toThrow(CheckpointError);
    await (await refused((json) => ({ ...json, metric: 'hamming' }))).toThrow(
      '[readPartition] p/partition.json is not a partition: "metric"',
    );
    await (await refused((json) => ({ ...json, sizes: [1] }))).toThrow('lists 1 sizes for 3 clusters.');
    await (await refused((json) => ({ ...json, clusters: 4, sizes: [1, 1, 1, 1] }))).toThrow(
      'p/centroids.safetensors should hold "centroids" f32 [4, 3], got f32 [3, 3].',
    );
    const store = await written((json) => json);
    await store.write('p/partition.json', new TextEncoder().encode('{'));
    await expect(readPartition(store, 'p')).rejects.toThrow('p/partition.json is not JSON');
  });
});
