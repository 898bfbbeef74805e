// What is said of pictures, in files: the same as in one JSON file, checked whenever it is read, and folders of before are read.
import { encodeJson, type FileStore, memoryStore, sha256 } from '@paris/files';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { DataError } from '../errors.js';
import { mergeData } from '../prepare/merge.js';
import { preparePictures } from '../prepare/prepare.js';
import { generated, watchedStore } from '../testing/generated.js';
import { manifestItems, openManifestFolder, readManifest } from './files.js';
import type { DataItem, Manifest } from './formats.js';
import { filedItems, itemFiles } from './item-files.js';
import { itemsOf, joinItems, listItems, mapItems, pickItems, rowsWhere, tallyItems } from './items.js';

const size = 4;
const record = 3 * size * size + 4 * 8;
const prepare = (out: FileStore, count: number, shardBytes: number | undefined) =>
  preparePictures({ pictures: generated(count, size), out, size, shardBytes, nearCopies: false });
const textOf = async (store: FileStore, path: string) => new TextDecoder().decode(await store.read(path));
const named = (count: number): DataItem[] =>
  Array.from({ length: count }, (_, i) => ({ id: `${i}`, caption: `caption ${i % 3}`, group: `${i}` }));

describe('items', () => {
  it('are written a line each, in files that are no larger than is asked for', async () => {
    const [one, several] = [memoryStore(), memoryStore()];
    const { items } = await prepare(one, 23, undefined);
    const manifest = await prepare(several, 23, 5 * record);
    expect(manifest).toMatchObject({ version: 3, count: 23 });
    expect(manifest.items).toBeUndefined();
    const lines: unknown[] = [];
    for (const { file, rows, bytes, sha256: sum } of manifest.itemFiles!) {
      const text = await textOf(several, file);
      expect(bytes).toBe(text.length);
      expect(bytes).toBeLessThanOrEqual(5 * record);
      expect(sum).toBe(await sha256(await several.read(file)));
      const own = text.split('\n');
      expect(own).toHaveLength(rows + 1);
      lines.push(...own.slice(0, -1).map((line) => JSON.parse(line)));
    }
    expect(lines).toEqual(items);
    expect(await listItems(manifestItems(several, await readManifest(several)))).toEqual(items);
  });

  it('are read in ranges over the borders of files, each file once where they are passed through', async () => {
    const { store, ...seen } = watchedStore(memoryStore());
    const list = named(700);
    const files = [];
    for await (const { file, content, ...rest } of itemFiles(itemsOf(list), { shardBytes: 2000 })) {
      await store.write(file, content);
      files.push({ file, ...rest });
    }
    expect(files.length).toBeGreaterThan(15);
    expect(Math.max(...files.map(({ bytes }) => bytes))).toBeLessThanOrEqual(2000);
    const schema = z.array(z.object({ id: z.string(), caption: z.string(), group: z.string() }));
    let reads = 0;
    const counted: FileStore = {
      ...store,
      read: (...how) => {
        reads++;
        return store.read(...how);
      },
    };
    const items = filedItems(counted, '', files, schema);
    expect(items.count).toBe(700);
    expect(await listItems(items)).toEqual(list);
    expect(reads).toBe(files.length);
    expect(seen.largestRead(/jsonl/)).toBeLessThanOrEqual(2000);
    for (const [from, count] of [
      [0, 700],
      [39, 2],
      [699, 1],
      [5, 0],
    ] as const) {
      expect(await items.read(from, count)).toEqual(list.slice(from, from + count));
    }
    const rows = [600, 3, 3, 4, 699, 0, 200];
    expect(await listItems(pickItems(items, rows))).toEqual(rows.map((row) => list[row]));
    expect(await listItems(joinItems([items, itemsOf(list.slice(0, 3))]))).toEqual([...list, ...list.slice(0, 3)]);
    expect((await listItems(mapItems(items, ({ id }, row) => ({ ...list[0]!, id: `${id} ${row}` })))).at(-1)!.id).toBe(
      '699 699',
    );
    expect([...(await rowsWhere(items, ({ id }) => id.endsWith('50')))]).toEqual([50, 150, 250, 350, 450, 550, 650]);
    expect(await tallyItems(items, ({ caption }) => caption)).toEqual({
      'caption 0': 234,
      'caption 1': 233,
      'caption 2': 233,
    });
  });

  it('longer than a file are in one by themselves', async () => {
    const long = (at: number) => ({ id: `${at}`, caption: 'x'.repeat(200), group: '' });
    const rows = [];
    for await (const { rows: own } of itemFiles(itemsOf([long(0), long(1), ...named(2)]), { shardBytes: 120 })) {
      rows.push(own);
    }
    expect(rows).toEqual([1, 1, 2]);
  });
});

describe('a file of items that is not what was written', () => {
  const bad = 'items-00001.jsonl';
  const damages: [string, (store: FileStore) => Promise<void>, string][] = [
    ['cut off', async (store) => store.write(bad, (await store.read(bad)).slice(0, -9)), 'bytes, and'],
    ['of other pictures', async (store) => changed(store, (text) => text.replace('red', 'RED')), 'has other bytes'],
    ['missing', async (store) => store.remove(bad), 'is missing'],
  ];
  async function changed(store: FileStore, how: (text: string) => string) {
    await store.write(bad, new TextEncoder().encode(how(await textOf(store, bad))));
  }

  it.each(damages)('%s: one sentence names it, before an item of it is used', async (_, damage, what) => {
    const store = memoryStore();
    await prepare(store, 12, 5 * record);
    await damage(store);
    const { items } = await openManifestFolder(store);
    expect(await items.read(0, 2)).toHaveLength(2); // of a sound one
    for (const read of [() => listItems(items), () => mergeData({ data: [store], out: memoryStore() })]) {
      const error = await read().catch((thrown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toContain(`[data] ${bad} `);
      expect(error.message).toContain(what);
      expect(error.message).toMatch(/Copy it again, or give the command that wrote it again\.$/);
    }
  });

  it('is looked at again when a store that was away is back', async () => {
    const store = memoryStore();
    await prepare(store, 12, 5 * record);
    const whole = await store.read(bad);
    const { items } = await openManifestFolder(store);
    await store.remove(bad);
    await expect(listItems(items)).rejects.toThrow('is missing');
    await store.write(bad, whole);
    expect(await listItems(items)).toHaveLength(12);
  });

  it('is no item of the folder, whatever its hash', async () => {
    const store = memoryStore();
    await prepare(store, 12, 5 * record);
    const manifest = await readManifest(store);
    const rewritten = async (how: (text: string) => string, rows = 0) => {
      const bytes = new TextEncoder().encode(how(await textOf(store, 'items-00000.jsonl')));
      const files = manifest.itemFiles!.map((file, at) => {
        return at > 0 ? file : { ...file, bytes: bytes.length, rows: file.rows + rows };
      });
      files[0]!.sha256 = await sha256(bytes);
      const own = memoryStore({ 'items-00000.jsonl': bytes });
      return listItems(manifestItems(own, { ...manifest, count: manifest.count + rows, itemFiles: files }));
    };
    for (const more of [1, 1e9, 1e15]) await expect(rewritten((text) => text, more)).rejects.toThrow('pictures, and');
    await expect(rewritten((text) => text.replace('"caption":', '"title":'))).rejects.toThrow('0.caption is missing');
    await expect(rewritten((text) => text.slice(1))).rejects.toThrow('items-00000.jsonl is not JSON');
  });
});

describe('a folder of version 2', () => {
  /** As it was written when the JSON file listed all pictures of several shards. */
  async function old(count: number): Promise<{ store: FileStore; items: Manifest['items'] }> {
    const [one, store] = [memoryStore(), memoryStore()];
    const { items } = await prepare(one, count, undefined);
    await prepare(store, count, 4 * record);
    const { itemFiles, shards, ...manifest } = await readManifest(store);
    for (const { file } of itemFiles!) await store.remove(file);
    // The order of the keys in which it was written.
    const { version: _, size, channels, maxTokens, normalization, holdout, vocabulary, skipped } = manifest;
    const said = { version: 2, size, channels, maxTokens, normalization, count, holdout, vocabulary, items, skipped };
    await store.write('manifest.json', encodeJson({ ...said, shards }));
    return { store, items };
  }

  it('is read as it was', async () => {
    const { store, items } = await old(11);
    const data = await openManifestFolder(store);
    expect(data.manifest).toMatchObject({ version: 2, items });
    expect(await listItems(data.items)).toEqual(items);
    expect(data.rows.count).toBe(11);
    const [merged, same] = [memoryStore(), memoryStore()];
    await mergeData({ data: [store], out: merged, shardBytes: 4 * record });
    const now = memoryStore();
    await prepare(now, 11, 4 * record);
    await mergeData({ data: [now], out: same, shardBytes: 4 * record });
    for (const path of await same.list()) expect(await merged.read(path), path).toEqual(await same.read(path));
  });

  it('keeps its bytes when the same pictures are prepared again, and becomes version 3 with others', async () => {
    const { store } = await old(11);
    const before = await textOf(store, 'manifest.json');
    const { version } = await prepare(store, 11, 4 * record);
    expect(version).toBe(2);
    expect(await textOf(store, 'manifest.json')).toBe(before);
    expect((await store.list()).some((path) => path.endsWith('.jsonl'))).toBe(false);
    expect((await prepare(store, 12, 4 * record)).version).toBe(3);
    await prepare(store, 3, undefined);
    expect(await store.list()).toEqual(['images.safetensors', 'manifest.json']);
  });
});

it('lists its pictures once: in manifest.json or in files', async () => {
  const store = memoryStore();
  await prepare(store, 12, 5 * record);
  const manifest = await readManifest(store);
  const items = await listItems(manifestItems(store, manifest));
  expect(() => manifestItems(store, { ...manifest, items })).toThrow('lists its pictures twice: items and itemFiles');
  expect(() => manifestItems(store, { ...manifest, itemFiles: undefined })).toThrow('neither items nor itemFiles');
});
