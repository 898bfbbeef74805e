import { type FileStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCluster, readLabelled, writeManifestFolder } from '../data/files.js';
import type { Manifest, ManifestItem } from '../data/formats.js';
import { partitionData, partitionHash, sweepPartitions } from './partition.js';
import { formatPartition, formatSweep } from './report.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const size = 4;
const colours = ['red', 'green', 'blue'];

/** A prepared folder: 30 pictures of three colours, of which every fifth is held out. */
async function prepared(count = 30) {
  const pixels = new Uint8Array(count * 3 * size * size);
  const items = Array.from({ length: count }, (_, i): ManifestItem => {
    const plane = (3 * i + (i % 3)) * size * size;
    pixels.fill(150 + i, plane, plane + size * size);
    pixels[plane + (i % 16)] = 255;
    const split = i % 5 === 4 ? 'test' : 'train';
    return { id: `${i}.png`, caption: 'x', group: `${i}`, category: colours[i % 3]!, split };
  });
  const format = {
    size,
    channels: 3,
    maxTokens: 1,
    normalization: { scale: 127.5, offset: -1 },
    vocabulary: ['', '?'],
  };
  const holdout = { fraction: 0.2, seed: 0, by: 'group' } as const;
  const store = memoryStore();
  const manifest: Manifest = { version: 1, ...format, count, holdout, items, skipped: [] };
  await writeManifestFolder(store, manifest, { images: pixels, tokens: new Uint32Array(count) });
  return store;
}

describe('partitionData', () => {
  it('reports sizes, measures, what lies nearest and whether categories are followed', async () => {
    const data = await prepared();
    const report = await partitionData({ device, data, clusters: 3, metric: 'euclidean' });
    expect(report).toMatchObject({ sizes: [8, 8, 8], testSizes: [2, 2, 2], outOfCluster: [0, 0, 0] });
    expect(report.quality.silhouette).toBeGreaterThan(0.2);
    expect(report.categories).toMatchObject({ semantic: true });
    expect(report.categories!.normalised).toBeCloseTo(1, 10);
    const { manifest } = await readLabelled(data, 'router');
    for (const [cluster, ids] of report.nearest.entries()) {
      expect(ids).toHaveLength(3);
      for (const id of ids) expect(manifest.items!.find((item) => item.id === id)!.cluster).toBe(cluster);
    }
    const lines = formatPartition(report);
    expect(lines[0]).toMatch(/^cluster {2}pictures {2}held out {2}nearest to the centroid$/);
    expect(lines[1]).toMatch(/^ {6}0 {9}8 {9}2 {2}\d+\.png, \d+\.png, \d+\.png$/);
    expect(lines.at(-1)).toMatch(/^clusters and categories share 1\.099 nats, .*: they follow them$/);
  });

  it('takes two stages and a random control; held-out pictures follow the same rule, the hash tells rules apart', async () => {
    const hashes = new Set<string>();
    for (const how of [{}, { fine: 9 }, { fine: 9, assignment: 'fine-to-coarse' }, { assignment: 'random' }] as const) {
      const data = await prepared();
      const { partition, testSizes } = await partitionData({ device, data, clusters: 3, metric: 'euclidean', ...how });
      expect(partition.assignment).toBe('assignment' in how ? how.assignment : 'nearest-centroid');
      expect(testSizes.reduce((sum, n) => sum + n)).toBe(6);
      hashes.add(await partitionHash(partition));
    }
    expect(hashes.size).toBe(4);
  });
});

describe('partitionData, like another', () => {
  it('places new pictures by the old centroids, so that experts of both belong together', async () => {
    const old = await prepared();
    const { partition, sizes } = await partitionData({ device, data: old, clusters: 3, metric: 'euclidean' });
    const data = await prepared(12);
    const report = await partitionData({ device, data, like: old });
    expect(report.partition).toEqual(partition);
    expect(sizes).toEqual([8, 8, 8]);
    expect(report.sizes.reduce((sum, n) => sum + n)).toBe(10);
    const clusterOf = async (of: FileStore) =>
      new Map((await readLabelled(of, 'router')).manifest.items!.map(({ id, cluster }) => [id, cluster]));
    const [before, after] = [await clusterOf(old), await clusterOf(data)];
    for (const [id, cluster] of after) expect(cluster, id).toBe(before.get(id));
    const hash = async (of: FileStore) => (await readCluster(of, 0)).manifest.partition;
    expect(await hash(data)).toBe(await hash(old));
  });

  it('refuses what contradicts it', async () => {
    const data = await prepared();
    const like = await prepared();
    await expect(partitionData({ device, data, like })).rejects.toThrow('partition/partition.json');
    await expect(partitionData({ device, data, like, clusters: 3 })).rejects.toThrow(
      'both like and clusters are given',
    );
    await expect(partitionData({ device, data, like, metric: 'euclidean' })).rejects.toThrow('both like and metric');
    await expect(partitionData({ device, data })).rejects.toThrow('neither clusters nor like is given');
    await partitionData({ device, data: like, clusters: 2 });
    const encoder = {
      name: 'mine',
      dimensions: 2,
      parameters: {},
      encode: async ({ count }: { count: number }) => Float32Array.from({ length: 2 * count }, (_, i) => i),
    };
    const mine = await prepared();
    await partitionData({ device, data: mine, clusters: 2, encoder });
    await expect(partitionData({ device, data, like: mine })).rejects.toThrow('no encoder is called "mine"');
  });
});

describe('sweepPartitions', () => {
  it('puts several K in a table, names the best, and writes nothing', async () => {
    const data = await prepared();
    const before = await data.list();
    const rows = await sweepPartitions({ device, data, clusters: [2, 3, 6], metric: 'euclidean' });
    expect(await data.list()).toEqual(before);
    const lines = formatSweep(rows);
    expect(lines[0]).toBe('K  inertia  silhouette  Davies–Bouldin  smallest  largest  categories (NMI)');
    expect(lines[2]).toMatch(/^3 .* 8 {8}8 {13}1\.000$/);
    expect(lines.at(-1)).toBe('the highest silhouette is that of K = 3');
  });
});
