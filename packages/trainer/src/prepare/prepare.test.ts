// Preparing from a source that is no folder.
import { memoryStore } from '@paris/files';
import { expect, it } from 'vitest';
import { readManifestFolder } from '../data/files.js';
import { preparePictures } from './prepare.js';
import type { PictureSource, SkippedPicture, SourcePicture } from './source.js';

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
  expect(manifest.items.map(({ id, split }) => [id, split])).toEqual([
    ['b', 'train'],
    ['a', 'train'],
  ]);
  expect(manifest.skipped).toEqual([{ file: 'x', reason: 'torn' }]);
  const { pixels, tokens } = await readManifestFolder(out);
  expect([...pixels]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(manifest.vocabulary[tokens[1]!]).toBe('b');
  expect(manifest.vocabulary[tokens[9]!]).toBe('a');
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
