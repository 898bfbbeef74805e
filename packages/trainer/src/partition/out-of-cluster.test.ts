import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { buildVocabulary, encodeCaptions } from '@paris/model';
import { type Device, key, openDevice, ValueError } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnOf } from '../data/columns.js';
import { readCluster, readLabelled, writeManifestFolder } from '../data/files.js';
import { readRunData } from '../run/data.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { ditConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { drawOutOfCluster } from './out-of-cluster.js';
import { partitionData } from './partition.js';

describe('drawOutOfCluster', () => {
  const labels = Uint32Array.from({ length: 500 }, (_, i) => (i < 98 ? 3 : i % 3));

  it('draws other clusters by the key, so that they are the share of the whole', () => {
    const drawn = drawOutOfCluster(labels, 3, 0.02, key(1));
    expect(drawn).toHaveLength(2); // of 100
    expect(drawOutOfCluster(labels, 3, 0.02, key(1))).toEqual(drawn);
    expect(drawOutOfCluster(labels, 3, 0.02, key(2))).not.toEqual(drawn);
    const half = drawOutOfCluster(labels, 3, 0.5, key(1));
    expect(new Set(half).size).toBe(98);
    expect(half).toEqual([...half].sort((a, b) => a - b));
    expect(half.some((i) => labels[i] === 3)).toBe(false);
  });

  it('draws all others alike', () => {
    const counts = [0, 0, 0];
    for (let seed = 0; seed < 100; seed++)
      for (const i of drawOutOfCluster(labels, 3, 0.1, key(seed))) counts[labels[i]!]! += 1;
    const total = 11 * 100; // 98 · 0.1 / 0.9, rounded
    expect(counts.reduce((a, b) => a + b)).toBe(total);
    for (const count of counts) expect(Math.abs(count / total - 1 / 3)).toBeLessThan(0.057); // 4 standard errors
  });

  it('draws none for 0, and no more than there are', () => {
    expect(drawOutOfCluster(labels, 3, 0, key(0))).toEqual([]);
    expect(drawOutOfCluster(labels, 3, 0.99, key(0))).toHaveLength(402);
    expect(drawOutOfCluster(labels, 0, 0.9, key(0)).length).toBeGreaterThan(0);
    for (const ratio of [1, -0.1, Number.NaN]) {
      expect(() => drawOutOfCluster(labels, 3, ratio, key(0))).toThrow(ValueError);
      expect(() => drawOutOfCluster(labels, 3, ratio, key(0))).toThrow(`must be in [0, 1), got ${ratio}.`);
    }
  });
});

describe('partitionData with a share from other clusters', { timeout: 120_000 }, () => {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await openDevice().catch(() => undefined);
  });
  afterAll(() => device?.close());

  it('copies them into the folders, marked, and leaves the router what it was', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const make = async (outOfCluster: number, seed = 0) => {
      const data = memoryStore();
      await writePrepared(data);
      return { data, report: await partitionData({ device: device!, data, clusters: 3, seed, outOfCluster }) };
    };
    const { data, report } = await make(0.25);
    const plain = await make(0);
    const again = await make(0.25);
    for (const path of await data.list()) {
      expect(await again.data.read(path), path).toEqual(await data.read(path));
      if (!path.startsWith('clusters/')) expect(await plain.data.read(path), path).toEqual(await data.read(path));
    }
    const router = await readLabelled(data, 'router');
    const clusterOf = new Map(router.manifest.items!.map((item) => [item.id, item.cluster]));
    const area = 3 * 8 * 8;
    for (const cluster of [0, 1, 2]) {
      const { manifest, rows } = await readCluster(data, cluster);
      const pixels = columnOf(await rows.read(0, rows.count), 'images', 'u8');
      const own = report.sizes[cluster]!;
      expect(manifest).toMatchObject({ outOfCluster: 0.25, count: own + report.outOfCluster[cluster]! });
      expect(report.outOfCluster[cluster]).toBe(Math.round(own / 3));
      for (const [row, item] of manifest.items!.entries()) {
        expect(item.outOfCluster).toBe(row < own ? undefined : true);
        expect(clusterOf.get(item.id) === cluster).toBe(row < own);
        const there = router.manifest.items!.findIndex(({ id }) => id === item.id);
        const original = columnOf(await router.rows.read(there, 1), 'images', 'u8');
        expect(pixels.subarray(row * area, (row + 1) * area)).toEqual(original);
      }
      const { manifest: alone } = await readCluster(plain.data, cluster);
      expect(alone.items).toEqual(manifest.items!.slice(0, own));
    }

    // The expert still needs its own folder and no other.
    const [only, runs] = [memoryStore(), memoryStore()];
    for (const path of await data.list('clusters/00')) await only.write(path, await data.read(path));
    const training = { ...toyTraining, steps: 2 };
    const shared = { device: device!, data: only, cluster: 0, runs, architecture: dit, config: ditConfig(toySize) };
    const record = await trainExpert({ ...shared, training });
    expect(record.data.count).toBe(report.sizes[0]! + report.outOfCluster[0]!);
    const { licences } = await readRunData(folderStore(runs, 'expert-00'));
    expect(licences).toEqual({ MIT: record.data.count });
  });
});

/** What `prepare` would have written of 36 pictures in three colours. */
async function writePrepared(store: FileStore): Promise<void> {
  const colours = ['red', 'green', 'blue'];
  const [count, size] = [36, 8];
  const captions = Array.from({ length: count }, (_, i) => colours[i % 3]!);
  const pixels = Uint8Array.from({ length: count * 3 * size * size }, (_, i) => {
    const picture = Math.floor(i / (3 * size * size));
    return Math.floor(i / (size * size)) % 3 === picture % 3 ? 200 + picture : 10;
  });
  const vocabulary = buildVocabulary(captions, 10);
  const items = captions.map((caption, i) => {
    return { id: `${i}.png`, caption, group: `${i}`, licence: 'MIT', split: i < 33 ? 'train' : 'test' } as const;
  });
  const format = { size, channels: 3, maxTokens: 8, normalization: { scale: 127.5, offset: -1 }, vocabulary };
  const holdout = { fraction: 0.1, seed: 0, by: 'group' } as const;
  const manifest = { version: 1 as const, ...format, count, holdout, items, skipped: [] };
  await writeManifestFolder(store, manifest, { images: pixels, tokens: encodeCaptions(captions, vocabulary, 8) });
}
