// Preparing from a source that is no folder.
import { memoryStore } from '@paris/files';
import { expect, it } from 'vitest';
import { readManifestFolder } from '../data/files.js';
import type { PictureSource, SkippedPicture, SourcePicture } from './picture-source.js';
import { preparePictures } from './prepare.js';

const picture = (id: string, pixels: number[]): SourcePicture => ({
  item: { id, caption: `a ${id}`, group: id, licence: 'MIT' },
  pixels: Uint8Array.from(pixels),
});

async function* given(pictures: readonly (SourcePicture | SkippedPicture)[]): PictureSource {
  yield* pictures;
}

it('stores pictures in the order in which they come, and says what was skipped', async () => {
  const out = memoryStore();
  const pictures = given([picture('b', [1, 2, 3]), { file: 'x', reason: 'torn' }, picture('a', [4, 5, 6])]);
  const manifest = await preparePictures({ pictures, out, size: 1, holdout: 0 });
  expect(manifest.items!.map(({ id, split }) => [id, split])).toEqual([
    ['b', 'train'],
    ['a', 'train'],
  ]);
  expect(manifest.skipped).toEqual([{ file: 'x', reason: 'torn' }]);
  const { images, tokens } = (await readManifestFolder(out)).columns;
  expect([...images!]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(manifest.vocabulary[tokens![1]!]).toBe('b');
  expect(manifest.vocabulary[tokens![9]!]).toBe('a');
});

it('takes the vocabulary of another folder', async () => {
  const out = memoryStore();
  const vocabulary = ['', '?', 'b', 'z'];
  const pictures = given([picture('a', [1, 2, 3]), picture('b', [4, 5, 6])]);
  const manifest = await preparePictures({ pictures, out, size: 1, holdout: 0, vocabulary });
  expect(manifest.vocabulary).toEqual(vocabulary);
  expect([...(await readManifestFolder(out)).columns.tokens!.slice(8, 10)]).toEqual([1, 2]); // a picture called "a b"
});

it.each([
  [[], '[prepare] there is no picture.'],
  [[{ file: 'x', reason: 'torn' }], '[prepare] none of 1 pictures could be used; the first: x: torn.'],
  [[picture('a', [1, 2])], '[prepare] "a" has 2 bytes, not 3 (3 × 1 × 1). Resize pictures before.'],
])('refuses %j', async (pictures, message) => {
  const out = memoryStore();
  await expect(preparePictures({ pictures: given(pictures), out, size: 1 })).rejects.toThrow(message);
  expect(await out.list()).toEqual([]);
});

it('stops between two pictures, and leaves the source to clean up', async () => {
  const stop = new AbortController();
  let closed = false;
  async function* source(): PictureSource {
    try {
      for (let i = 0; ; i++) {
        if (i === 3) stop.abort();
        yield picture(String(i), [1, 2, 3]);
      }
    } finally {
      closed = true;
    }
  }
  const preparing = preparePictures({ pictures: source(), out: memoryStore(), size: 1, signal: stop.signal });
  await expect(preparing).rejects.toMatchObject({ name: 'AbortError' });
  expect(closed).toBe(true);
});

it('refuses a seed that no later command takes, before anything is written', async () => {
  const out = memoryStore();
  for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) {
    const pictures = given([picture('a', [1, 2, 3])]);
    await expect(preparePictures({ pictures, out, size: 1, seed })).rejects.toThrow('expected an integer in [0, 2⁵³)');
  }
  expect(await out.list()).toEqual([]);
});

it.each([
  [{ size: 0 }, 'size is 0. Give a whole number from 1 on.'],
  [{ size: 1.5 }, 'size is 1.5. Give a whole number from 1 on.'],
  [{ holdout: Number.NaN }, 'holdout is NaN. Give a number from 0 to 1.'],
  [{ holdout: -1 }, 'holdout is -1. Give a number from 0 to 1.'],
  [{ vocabularyLimit: Number.NaN }, 'vocabularyLimit is NaN. Give a number from 0 on.'],
  [{ vocabularyLimit: -1 }, 'vocabularyLimit is -1. Give a number from 0 on.'],
  [{ order: 'names' as 'name' }, 'order is "names". Give "source" or "name".'],
  [{ classes: 'category' as 'categories' }, 'classes is "category". Give "categories".'],
])('refuses options that would make an unreadable or an odd folder: %j', async (change, message) => {
  const out = memoryStore();
  const pictures = given([picture('a', [1, 2, 3]), picture('b', [4, 5, 6])]);
  await expect(preparePictures({ pictures, out, size: 1, ...change })).rejects.toThrow(`[prepare] ${message}`);
  expect(await out.list()).toEqual([]);
});
