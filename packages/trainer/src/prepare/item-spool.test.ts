// What is said of pictures on the way: the same order whether it is held or in files, and never more than a little of it in memory.
import { byCodeUnit, type FileStore, memoryStore } from '@paris/files';
import { hostPermutation, key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { listItems } from '../data/items.js';
import { generated, watchedStore } from '../testing/generated.js';
import { ItemSpool } from './item-spool.js';
import type { PictureSource } from './picture-source.js';
import { preparePictures } from './prepare.js';
import { Scratch } from './scratch.js';

/** Names in another order than they come, of two alphabets, some twice; a few with long captions. */
const said = (count: number) =>
  Array.from(hostPermutation(key(3), count), (place, at) => ({
    id: `${place % 7 === 0 ? 'é' : 'a'}/${place % 50 === 1 ? 1 : place}.png`,
    caption: `${at} ${'ü'.repeat(place % 90 === 0 ? 5000 : 20)}`,
    group: `${at}`,
  }));

async function spooled(order: 'source' | 'name', shardBytes: number | undefined, count: number) {
  const { store, ...seen } = watchedStore(memoryStore());
  const scratch = new Scratch(store, undefined);
  const spool = new ItemSpool(scratch, { order, shardBytes });
  for (const item of said(count)) await spool.add(item);
  expect(spool.count).toBe(count);
  const { items, ...rest } = await spool.finish();
  const list = await listItems(items);
  const files = await store.list();
  await scratch.finish();
  await scratch.close();
  expect(await store.list()).toEqual([]);
  return { list, ...rest, files, seen };
}

describe('items on the way', () => {
  it('stay in memory while they are little', async () => {
    expect((await spooled('name', undefined, 200)).files).toEqual([]);
  });

  it.each([300, 5000, 60_000])('in pieces of %d bytes are in the order that they have in memory', async (bytes) => {
    const all = said(700);
    const first = new Map<string, number>();
    for (const [at, { id }] of all.entries()) if (!first.has(id)) first.set(id, at);
    const order = [...first.values()].sort((a, b) => byCodeUnit(all[a]!.id, all[b]!.id));
    const repeated = all.flatMap(({ id }, at) => (first.get(id) === at ? [] : [{ id, at }]));
    repeated.sort((a, b) => byCodeUnit(a.id, b.id) || a.at - b.at);
    expect(repeated).toHaveLength(12);
    for (const shardBytes of [bytes, undefined]) {
      const found = await spooled('name', shardBytes, 700);
      expect(found.list).toEqual(order.map((at) => all[at]));
      expect([...found.order]).toEqual(order);
      expect(found.repeated).toEqual(repeated);
      expect(found.files.some((file) => file.includes('/items/run-'))).toBe(shardBytes !== undefined);
    }
    const { list, order: came, repeated: none } = await spooled('source', bytes, 700);
    expect(list).toEqual(all);
    expect([...came]).toEqual([...all.keys()]);
    expect(none).toEqual([]);
  });

  it('are read and written a little at a time, however many there are', async () => {
    const most = async (count: number) => {
      const { seen } = await spooled('name', 60_000, count);
      return [seen.largestRead(/run-/), seen.largestRead(/items-/), seen.largestWrite(/jsonl/)];
    };
    for (const bytes of [...(await most(700)), ...(await most(4000))]) expect(bytes).toBeLessThan(140_000); // 60,000 characters, most of two bytes
  });
});

describe('pictures by name', () => {
  async function* source(): PictureSource {
    yield { file: 'b.png', reason: 'broken' };
    for await (const picture of generated(9, 4)) {
      yield picture;
      if ('item' in picture && picture.item.id.startsWith('2'))
        yield { ...picture, item: { ...picture.item, caption: 'again' } };
    }
    yield { file: '2654435761.png', reason: 'not whole' };
    yield { file: 'a.png', reason: 'empty' };
  }
  const prepare = (out: FileStore, shardBytes: number | undefined) =>
    preparePictures({ pictures: source(), out, size: 4, shardBytes, order: 'name', holdout: 0.3 });

  it('are once in the folder, and all that is left out is in the order of names', async () => {
    const stores = [memoryStore(), memoryStore()];
    const [one, several] = [await prepare(stores[0]!, undefined), await prepare(stores[1]!, 200)];
    const ids = one.items!.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids).toHaveLength(9);
    expect(one.items!.some(({ caption }) => caption === 'again')).toBe(false);
    const again = 'another picture has this name';
    expect(one.skipped).toEqual([
      { file: '2027808452.png', reason: again },
      { file: '2654435761.png', reason: again },
      { file: '2654435761.png', reason: 'not whole' },
      { file: 'a.png', reason: 'empty' },
      { file: 'b.png', reason: 'broken' },
    ]);
    expect(several.skipped).toEqual(one.skipped);
    expect(several).toMatchObject({ version: 3, count: 9 });
  });
});
