// For tests of many records: pictures that are made one at a time, and a store that notes how much passes through it at once.
import type { FileContent, FileStore } from '@paris/files';
import type { PictureSource } from '../prepare/picture-source.js';

/** So many pictures of soft patches of colour, no two alike, the same at each call; names are not in their order. */
export async function* generated(count: number, size: number): PictureSource {
  for (let i = 0; i < count; i++) {
    const word = ['red', 'green', 'blue'][i % 3]!;
    const id = `${String(Math.imul(i, 0x9e3779b1) >>> 0).padStart(10, '0')}.png`;
    yield { item: { id, caption: `${word} ${i % 97}`, group: id, licence: 'CC0-1.0' }, pixels: pixelsOf(i, size) };
  }
}

/** u8 [3, size, size]: 4 × 4 patches of levels that a hash of the number gives. */
function pixelsOf(i: number, size: number): Uint8Array {
  const pixels = new Uint8Array(3 * size * size);
  for (let at = 0; at < pixels.length; at++) {
    const [x, y, c] = [at % size, Math.floor(at / size) % size, Math.floor(at / size ** 2)];
    const patch = 16 * c + 4 * Math.floor((4 * y) / size) + Math.floor((4 * x) / size);
    let hash = Math.imul(i * 64 + patch + 1, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    pixels[at] = 20 + ((hash ^ (hash >>> 13)) >>> 24) * 0.8;
  }
  return pixels;
}

/** A store, with the largest number of bytes that one call read or wrote of files of a kind, and what was changed. */
export function watchedStore(store: FileStore): {
  store: FileStore;
  largestRead(of: RegExp): number;
  largestWrite(of: RegExp): number;
  changes(): readonly string[];
} {
  const [reads, writes]: [string, number][][] = [[], []];
  const most = (calls: readonly [string, number][], of: RegExp) =>
    calls.reduce((largest, [path, bytes]) => (of.test(path) ? Math.max(largest, bytes) : largest), 0);
  return {
    store: {
      ...store,
      read: async (path, ...more) => {
        const bytes = await store.read(path, ...more);
        reads!.push([path, bytes.length]);
        return bytes;
      },
      write: async (path, content) => {
        const [parts, bytes] = await measured(content);
        writes!.push([path, bytes]);
        await store.write(path, parts);
      },
    },
    largestRead: (of) => most(reads!, of),
    largestWrite: (of) => most(writes!, of),
    changes: () => writes!.map(([path]) => path),
  };
}

async function measured(content: FileContent): Promise<[Uint8Array[], number]> {
  const parts: Uint8Array[] = [];
  if (ArrayBuffer.isView(content)) parts.push(content);
  else for await (const part of content) parts.push(part);
  return [parts, parts.reduce((sum, { length }) => sum + length, 0)];
}
