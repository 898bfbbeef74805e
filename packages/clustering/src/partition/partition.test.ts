import { memoryStore } from '@paris/files';
import { CheckpointError, type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeImages } from '../encoder/encode.js';
import type { Encoder, ImageBatch, ImageStream } from '../encoder/encoder.js';
import { statisticsEncoder } from '../encoder/statistics.js';
import { readPartition, writePartition } from './files.js';
import { assign, encoderOf, partitionImages } from './make.js';
import type { Partition } from './partition.js';

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

describe('a stream of pictures', () => {
  const all = pictures();
  const stream = (count = all.count): ImageStream => ({
    count,
    size,
    async *batches() {
      for (let i = 0; i < all.count; i += 5) {
        const parts = Array.from({ length: Math.min(5, all.count - i) }, (_, j) => [...one(all, i + j).pixels]);
        yield { pixels: Uint8Array.from(parts.flat()), count: parts.length, size };
      }
    },
  });

  it('is clustered and assigned as the pictures at once, at random too', async () => {
    for (const assignment of ['nearest-centroid', 'random'] as const) {
      const made = await partitionImages(device, means, all, { clusters: 3, assignment });
      expect(await partitionImages(device, means, stream(), { clusters: 3, assignment })).toEqual(made);
      expect(await assign(device, means, made.partition, stream())).toEqual(made.labels);
    }
  });

  it('that ends early or late is refused', async () => {
    for (const count of [11, 13]) {
      const said = `the stream gave 12 pictures, not ${count}.`;
      await expect(encodeImages(means, stream(count))).rejects.toThrow(said);
    }
  });
});

describe('partitionImages', () => {
  it('clusters by colour, and says how', async () => {
    const encoder = statisticsEncoder();
    const { partition, labels } = await partitionImages(device, encoder, pictures(), { clusters: 3, seed: 7 });
    expect(partition.sizes).toEqual([4, 4, 4]);
    for (let i = 3; i < 12; i++) expect(labels[i]).toBe(labels[i % 3]);
    expect(partition).toMatchObject({
      version: 2,
      clusters: 3,
      encoder: { name: 'statistics', dimensions: encoder.dimensions, parameters: encoder.parameters },
      metric: 'spherical',
      assignment: 'nearest-centroid',
      seed: 7,
      balance: 'none',
      stages: [{ method: 'k-means', of: 'pictures', clusters: 3, seeding: 'k-means++', restarts: 3 }],
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

  it.each([
    { stages: 2, fine: 6, metric: 'euclidean' },
    { stages: 2, fine: 6, assignment: 'fine-to-coarse', metric: 'euclidean' },
    { fine: 6, assignment: 'fine-to-coarse', balance: 'auction', metric: 'euclidean' },
    { balance: 'auction', metric: 'euclidean' },
    { assignment: 'random' },
  ] as const)('places every picture where training has it, from disk too: %j', async (options) => {
    const images = pictures();
    const store = memoryStore();
    const made = await partitionImages(device, means, images, { clusters: 3, seed: 2, ...options });
    await writePartition(store, '', made.partition);
    const partition = await readPartition(store, '');
    expect(partition).toEqual(made.partition);
    expect(partition).toMatchObject(
      Object.fromEntries(Object.entries(options).filter(([name]) => !['stages', 'fine'].includes(name))),
    );
    const { labels } = made;
    expect(await assign(device, means, partition, images)).toEqual(labels);
    for (const i of [0, 4, 11])
      expect([...(await assign(device, means, partition, one(images, i)))]).toEqual([labels[i]]);
    expect(partition.sizes).toEqual([0, 1, 2].map((k) => labels.filter((label) => label === k).length));
  });

  it('tells the two rules apart: the lookup may differ from the nearest coarse centroid', async () => {
    // Three fine centroids on a line, of which a lookup puts the middle one to the farther side.
    const fine = { centroids: Float32Array.of(0, 0, 0, 0.5, 0, 0, 1, 0, 0), clusters: Uint32Array.of(0, 1, 1) };
    const { partition } = await partitionImages(device, means, pictures(), { clusters: 2, metric: 'euclidean' });
    const lookup = { ...partition, assignment: 'fine-to-coarse', centroids: Float32Array.of(0.3, 0, 0, 1, 0, 0), fine };
    const grey: Encoder = { ...means, encode: () => Float32Array.of(0.45, 0, 0) };
    const image = one(pictures(), 0);
    expect([...(await assign(device, grey, lookup as Partition, image))]).toEqual([1]);
    const { fine: _, ...nearest } = { ...lookup, assignment: 'nearest-centroid' };
    expect([...(await assign(device, grey, nearest as Partition, image))]).toEqual([0]);
  });

  it('draws random clusters evenly, from the pictures and the seed alone', async () => {
    const count = 600;
    const pixels = Uint8Array.from({ length: count * 12 }, (_, i) => (Math.floor(i / 12) * 7 + (i % 12) * 31) % 251);
    pixels.forEach((_, i) => {
      if (i % 12 === 0) pixels[i] = Math.floor(i / 12) % 256;
      if (i % 12 === 1) pixels[i] = Math.floor(i / 12 / 256);
    });
    const many = { pixels, count, size: 2 };
    const flat: Encoder = {
      name: 'flat',
      dimensions: 1,
      parameters: {},
      encode: () => new Float32Array(count).fill(1),
    };
    const run = (seed: number) => partitionImages(device, flat, many, { clusters: 4, assignment: 'random', seed });
    const { labels, partition } = await run(1);
    for (const size of partition.sizes) expect(Math.abs(size - 150)).toBeLessThan(45); // four standard deviations
    expect([...(await run(2)).labels]).not.toEqual([...labels]);
    expect(partition.stages).toEqual([]);
  });

  it('refuses choices that exclude each other', async () => {
    const refused = (options: object) =>
      expect(partitionImages(device, means, pictures(), { clusters: 3, ...options })).rejects;
    await refused({ stages: 1, fine: 6 }).toThrow(
      '[partitionImages] one stage has no fine centroids, got fine 6. Set stages to 2.',
    );
    await refused({ assignment: 'fine-to-coarse' }).toThrow("'fine-to-coarse' needs fine centroids. Set stages to 2.");
    await refused({ assignment: 'random', balance: 'auction' }).toThrow(
      "a random partition into 3 has no balance 'auction'. Leave that out.",
    );
  });

  it('refuses another encoder, and an encoder that does not keep its word', async () => {
    const { partition } = await partitionImages(device, means, pictures(), { clusters: 2 });
    await expect(assign(device, statisticsEncoder(), partition, pictures())).rejects.toThrow(
      '[assign] the encoder is "statistics" of 208 dimensions, the partition was made with "means" of 3. Pass that one.',
    );
    const changed = { ...means, parameters: { note: 'medians' } };
    await expect(assign(device, changed, partition, pictures())).rejects.toThrow(
      '[assign] the encoder "means" has note medians, the partition was made with mean of each channel. Pass that one.',
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

  it('of version 1 are read as what they were', async () => {
    const { partition } = await partitionImages(device, means, pictures(), { clusters: 3, seed: 4 });
    const { centroids, version: _, balance: __, stages, ...same } = partition;
    const { restarts, restart, iterations, inertia } = stages[0]!;
    const old = { version: 1, ...same, kMeans: { restarts, restart, iterations, inertia } };
    const store = memoryStore();
    await writePartition(store, 'p', partition); // the same centroids.safetensors
    await store.write('p/partition.json', new TextEncoder().encode(JSON.stringify(old)));
    const read = await readPartition(store, 'p');
    const { seeding: ___, ...stage } = stages[0]!; // version 1 did not say
    expect(read).toEqual({ ...partition, stages: [stage], centroids });
    expect(await assign(device, means, read, pictures())).toEqual(await assign(device, means, partition, pictures()));
    await store.write('p/partition.json', new TextEncoder().encode(JSON.stringify({ ...old, version: 3 })));
    await expect(readPartition(store, 'p')).rejects.toThrow(
      '[readPartition] p/partition.json has version 3; this release reads 1 and 2. Partition again, or use the release that wrote it.',
    );
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
      '[readPartition] p/partition.json is not what this version reads: metric must be "spherical" or "euclidean"',
    );
    await (await refused((json) => ({ ...json, sizes: [1] }))).toThrow('lists 1 sizes for 3 clusters.');
    await (await refused((json) => ({ ...json, clusters: 4, sizes: [1, 1, 1, 1] }))).toThrow(
      'p/centroids.safetensors should hold "centroids" f32 [4, 3], got f32 [3, 3].',
    );
    await (await refused((json) => ({ ...json, assignment: 'fine-to-coarse' }))).toThrow(
      'p/centroids.safetensors should hold "fine" f32 [3, 3], got no such key.',
    );
    const store = await written((json) => json);
    await store.write('p/partition.json', new TextEncoder().encode('{'));
    await expect(readPartition(store, 'p')).rejects.toThrow('p/partition.json is not JSON');
  });
});
