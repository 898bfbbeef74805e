// Records in several files: the same rows as in one, checked before they are used, and never more than a few in memory.
import { type FileStore, memoryStore, readJson, sha256, writeJson } from '@paris/files';
import { parseSafetensors } from '@paris/files/safetensors';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { DataError } from '../errors.js';
import { mergeData } from '../prepare/merge.js';
import { preparePictures } from '../prepare/prepare.js';
import { generated, watchedStore } from '../testing/generated.js';
import { columnOf } from './columns.js';
import {
  manifestItems,
  openManifestFolder,
  readCluster,
  readManifest,
  readManifestFolder,
  writeCluster,
} from './files.js';
import type { ClusterManifest } from './formats.js';
import { listItems } from './items.js';
import { gatherRows } from './rows.js';

const size = 4;
const record = 3 * size * size + 4 * 8;
const prepare = (out: FileStore, count: number, shardBytes: number | undefined, seed = 0) =>
  preparePictures({ pictures: generated(count, size), out, size, seed, shardBytes, nearCopies: false });

describe('shards', () => {
  it('hold the rows of one file, in files of a bounded size that the manifest lists', async () => {
    const [one, several] = [memoryStore(), memoryStore()];
    await prepare(one, 10, undefined);
    await prepare(several, 10, 4 * record);
    expect(await one.list()).toEqual(['images.safetensors', 'manifest.json']);
    const names = ['images-00000.safetensors', 'images-00001.safetensors', 'images-00002.safetensors'];
    const files = await several.list();
    expect(files.filter((file) => !file.startsWith('items-'))).toEqual([...names, 'manifest.json']);
    const manifest = await readManifest(several);
    expect(manifest).toMatchObject({ version: 3, shards: [{ rows: 4 }, { rows: 4 }, { rows: 2 }] });
    expect(manifest.shards!.map(({ file }) => file)).toEqual(names);
    for (const { file, bytes } of manifest.shards!) expect(await several.size(file)).toBe(bytes);
    expect(parseSafetensors(await several.read(names[2]!)).tokens!.shape).toEqual([2, 8]);
    const {
      shards: _,
      itemFiles: __,
      ...said
    } = { ...manifest, items: await listItems(manifestItems(several, manifest)) };
    const { sha256: sum, ...same } = await readManifest(one);
    expect(sum).toBe(await sha256(await one.read('images.safetensors')));
    expect({ ...said, version: 1 }).toEqual(same);
    expect((await readManifestFolder(several)).columns).toEqual((await readManifestFolder(one)).columns);
  });

  it('that are one file are checked as a whole, where it is known what was written', async () => {
    const store = memoryStore();
    await prepare(store, 10, undefined);
    const bytes = await store.read('images.safetensors');
    bytes[bytes.length - 1]! ^= 1;
    await store.write('images.safetensors', bytes);
    const wrong = 'images.safetensors has other bytes than were written (its SHA-256 differs). Copy it again';
    for (const open of [openManifestFolder, readManifestFolder]) await expect(open(store)).rejects.toThrow(wrong);
    const { sha256: _, ...old } = await readJson(store, 'manifest.json', z.looseObject({ sha256: z.string() }));
    await writeJson(store, 'manifest.json', old); // as folders of before are
    expect((await readManifestFolder(store)).manifest.count).toBe(10);
    bytes[bytes.length - 1]! ^= 1;
    await store.write('images.safetensors', bytes);
    await prepare(store, 10, undefined); // the same pictures again change nothing
    expect((await readManifest(store)).sha256).toBeUndefined();
  });

  it('are read in ranges over their borders, in any order', async () => {
    const store = memoryStore();
    await prepare(store, 11, 3 * record);
    const { manifest, columns } = await readManifestFolder(store);
    const { rows } = await openManifestFolder(store);
    const area = 3 * size * size;
    for (const [from, count] of [
      [0, 11],
      [2, 2],
      [3, 3],
      [1, 9],
      [10, 1],
      [4, 0],
    ] as const) {
      const images = columnOf(await rows.read(from, count), 'images', 'u8');
      expect(images, `${from}+${count}`).toEqual(columns.images!.slice(from * area, (from + count) * area));
    }
    const gathered = await gatherRows(rows, manifest, [10, 0, 5, 10]);
    expect([...gathered.tokens!.slice(8, 16)]).toEqual([...columns.tokens!.slice(0, 8)]);
  });

  it('change nothing when they are written again, and replace those of another size', async () => {
    const store = memoryStore();
    await prepare(store, 10, 4 * record);
    const { store: watched, changes } = watchedStore(store);
    await prepare(watched, 10, 4 * record);
    expect(changes().filter((path) => !path.startsWith('paris-preparation/'))).toEqual([]);
    await prepare(store, 10, 7 * record);
    const items = ['items-00000.jsonl', 'items-00001.jsonl'];
    const images = ['images-00000.safetensors', 'images-00001.safetensors'];
    expect(await store.list()).toEqual([...images, ...items, 'manifest.json']);
    await prepare(store, 10, undefined);
    expect(await store.list()).toEqual(['images.safetensors', 'manifest.json']);
    await store.write('images-00007.safetensors', new Uint8Array(3));
    await expect(prepare(store, 10, 4 * record)).rejects.toThrow(
      '"images-00007.safetensors" in the output folder was not written by Paris',
    );
  });

  it.each([0, -1, Number.NaN])('of %d bytes are refused', async (shardBytes) => {
    await expect(prepare(memoryStore(), 3, shardBytes)).rejects.toThrow('holds nothing. Give a size above 0.');
  });
});

describe('a shard that is not what was written', () => {
  const bad = 'images-00001.safetensors';
  const damages: [string, (store: FileStore) => Promise<void>, string][] = [
    ['cut off', async (store) => store.write(bad, (await store.read(bad)).slice(0, -9)), 'bytes, and'],
    [
      'another one’s bytes',
      async (store) => store.write(bad, await store.read('images-00000.safetensors')),
      'has other bytes than were written',
    ],
    [
      'with a bit changed',
      async (store) => {
        const bytes = await store.read(bad);
        bytes[bytes.length - 40]! ^= 1;
        await store.write(bad, bytes);
      },
      'has other bytes than were written',
    ],
    ['missing', async (store) => store.remove(bad), 'is missing'],
  ];

  it.each(damages)('%s: one sentence names it, before a row of it is used', async (_, damage, what) => {
    const store = memoryStore();
    await prepare(store, 12, 4 * record);
    await damage(store);
    const { rows } = await openManifestFolder(store);
    expect(columnOf(await rows.read(0, 4), 'images', 'u8')).toHaveLength(4 * 48); // of a sound one
    const merge = () => mergeData({ data: [store], out: memoryStore() });
    for (const read of [() => rows.read(7, 1), () => rows.read(3, 2), merge]) {
      const error = await read().catch((thrown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toContain(`[data] ${bad} `);
      expect(error.message).toContain(what);
      expect(error.message).toMatch(/Copy it again, or give the command that wrote it again\.$/);
    }
  });

  it('is looked at again when a store that was away is back', async () => {
    const store = memoryStore();
    await prepare(store, 12, 4 * record);
    const isAway = { now: true };
    const flaky: FileStore = {
      ...store,
      read: async (path, ...range) => {
        if (isAway.now && path === bad) throw new Error('away');
        return store.read(path, ...range);
      },
    };
    const { rows } = await openManifestFolder(flaky);
    await expect(rows.read(4, 1)).rejects.toThrow('away');
    isAway.now = false;
    expect((await rows.read(4, 1)).images).toHaveLength(48);
  });
});

describe('a cluster in shards', () => {
  const manifest: ClusterManifest = {
    ...{ version: 1, size, channels: 3, maxTokens: 8, normalization: { scale: 127.5, offset: -1 } },
    ...{ vocabulary: ['', '?'], cluster: 0, count: 5, seed: 0, partition: 'p', outOfCluster: 0 },
    items: Array.from({ length: 5 }, (_, i) => ({ id: `${i}`, caption: '', group: `${i}` })),
  };
  const columns = () => ({ images: new Uint8Array(5 * 48).map((_, i) => i), tokens: new Uint32Array(5 * 8) });

  it('has one hash, which covers every byte of every shard', async () => {
    const write = async (change?: (images: Uint8Array) => void) => {
      const [store, data] = [memoryStore(), columns()];
      change?.(data.images);
      await writeCluster(store, manifest, data, { shardBytes: 2 * record });
      return readCluster(store, 0);
    };
    const [data, same] = [await write(), await write()];
    expect(data.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(same.sha256).toBe(data.sha256);
    const changed = await write((images) => {
      images[230]! ^= 1; // of the last shard
    });
    expect(changed.sha256).not.toBe(data.sha256);
    expect(await data.rows.read(0, 5)).toEqual(columns());
  });

  it('is refused where the numbers of rows do not add up, or a name leads elsewhere', async () => {
    const store = memoryStore();
    await writeCluster(store, manifest, columns(), { shardBytes: 2 * record });
    const path = 'clusters/00/cluster.json';
    const text = new TextDecoder().decode(await store.read(path));
    const change = async (from: string, to: string) => {
      await store.write(path, new TextEncoder().encode(text.replaceAll(from, to)));
      return readCluster(store, 0);
    };
    const last = (of: string, rows: number) => `"${of}",\n      "rows": ${rows}`;
    const [images, items] = ['images-00002.safetensors', 'items-00001.jsonl'];
    await expect(change(last(images, 1), last(images, 2))).rejects.toThrow('says 5 pictures, and its shards have 6.');
    await expect(change(last(items, 1), last(items, 2))).rejects.toThrow('says 5 pictures and lists 6.');
    await expect(change('"items-00001', '"../items-00001')).rejects.toThrow('itemFiles.1.file must be');
    await expect(change('"images-00001', '"../images-00001')).rejects.toThrow('shards.1.file must be');
    await expect(change('"rows": 2', '"rows": -2')).rejects.toThrow('shards.0.rows must be');
  });
});

it('memory does not grow with the number of records: no more of them is read, written or kept at once', async () => {
  const most = async (count: number) => {
    const { store, largestRead, largestWrite } = watchedStore(memoryStore());
    await preparePictures({ pictures: generated(count, 8), out: store, size: 8, shardBytes: 16 * (192 + 32) });
    return { read: largestRead(/safetensors|pixels/), write: largestWrite(/safetensors|pixels/) };
  };
  const few = await most(100);
  expect(few.write).toBeLessThan(16 * (192 + 32) + 512); // the header of the file
  expect(few.read).toBeLessThanOrEqual(few.write);
  expect(await most(1600)).toEqual(few);
});
