import { type FileStore, memoryStore } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { dyingStore } from '../testing/dying-store.js';
import type { PixelSource } from './picture-source.js';
import { prepareFrom } from './prepare.js';
import { openSpool } from './spool.js';

const size = 1;
const shardBytes = 6; // two pictures
const pixels = (i: number) => Uint8Array.of(i, i + 1, i + 2);
const open = (out: FileStore, change: object = {}) => openSpool(out, { size, shardBytes, settings: 's', ...change });

/** A store in which a process has decoded five pictures and died. */
async function leftBehind(): Promise<FileStore> {
  const out = memoryStore();
  const spool = await open(dyingStore(out, 99));
  for (let i = 0; i < 5; i++) await spool.add(pixels(i), `key ${i}`);
  return out;
}

describe('pictures on the way', () => {
  it('stay in memory while they are few', async () => {
    const out = memoryStore();
    const spool = await open(out);
    expect(await spool.add(pixels(1))).toBe(0);
    expect(await out.list()).toEqual([]);
    expect((await spool.rows.read(0, 1)).images).toEqual(pixels(1));
  });

  it('are read wherever they are', async () => {
    const spool = await open(memoryStore());
    for (let i = 0; i < 5; i++) expect(await spool.add(pixels(i))).toBe(i);
    expect(spool.rows.count).toBe(5);
    expect((await spool.rows.read(1, 4)).images).toEqual(Uint8Array.from([1, 2, 3, 4].flatMap((i) => [...pixels(i)])));
  });

  it('are found again after the process died, but for those in memory', async () => {
    const out = await leftBehind();
    const spool = await open(out);
    expect([0, 1, 2, 3, 4].map((i) => spool.known(`key ${i}`))).toEqual([0, 1, 2, 3, undefined]);
    expect(await spool.add(pixels(9))).toBe(4);
    expect((await spool.rows.read(3, 2)).images).toEqual(Uint8Array.from([...pixels(3), ...pixels(9)]));
    await spool.finish();
    expect(await out.list()).toEqual([]);
  });

  it('are not decoded again', async () => {
    const out = await leftBehind();
    const spool = await open(out);
    const decoded: number[] = [];
    async function* source(): PixelSource {
      for (let i = 0; i < 5; i++) {
        const item = { id: `${9 - i}`, caption: 'x', group: `${i}` };
        const row = spool.known(`key ${i}`);
        if (row === undefined) decoded.push(i);
        yield row === undefined ? { item, pixels: pixels(i), key: `key ${i}` } : { item, row };
      }
    }
    const how = { out, size, shardBytes: 99, holdout: 0, order: 'name', nearCopies: false } as const;
    await prepareFrom(source(), spool, how);
    expect(decoded).toEqual([4]);
    const again = memoryStore();
    async function* fresh(): PixelSource {
      for (let i = 0; i < 5; i++) yield { item: { id: `${9 - i}`, caption: 'x', group: `${i}` }, pixels: pixels(i) };
    }
    await prepareFrom(fresh(), await open(again), { ...how, out: again });
    for (const path of await again.list()) expect(await out.read(path), path).toEqual(await again.read(path));
    expect(await out.list()).toEqual(await again.list());
  });

  it.each([
    ['other settings', {}, { settings: 't' }],
    ['no settings', {}, { settings: undefined }],
    ['a file that was cut off', { '00000.pixels': '123' }, {}],
    ['other bytes', { '00000.pixels': '123456' }, {}],
    ['a torn list', { '00000.json': '{"rows": 2, ' }, {}],
  ])('of %s are decoded again', async (_, files, change) => {
    const out = await leftBehind();
    for (const [name, text] of Object.entries(files)) {
      await out.write(`paris-preparation/${name}`, new TextEncoder().encode(text));
    }
    const spool = await open(out, change);
    expect([0, 1, 2, 3].map((i) => spool.known(`key ${i}`))).toEqual([undefined, undefined, undefined, undefined]);
    expect(spool.rows.count).toBe(0);
  });

  it('are one process’s', async () => {
    const out = memoryStore();
    const spool = await open(out);
    for (let i = 0; i < 2; i++) await spool.add(pixels(i), `${i}`);
    await expect(open(out)).rejects.toMatchObject({ code: 'FILE_LOCKED' });
    await spool.close();
    expect((await open(out)).rows.count).toBe(2);
  });
});
