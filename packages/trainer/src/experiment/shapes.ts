// Pictures that are made, not found: coloured shapes with captions, for an experiment that anybody can run at once.
import type { FileStore } from '@paris/files';
import { buildVocabulary, encodeCaptions } from '@paris/model';
import { hostUniform, key } from '@paris/tensor';
import { writeManifestFolder } from '../data/files.js';
import type { Manifest, ManifestItem } from '../data/formats.js';

const colours: { readonly [name: string]: readonly [number, number, number] } = {
  red: [220, 40, 40],
  green: [40, 190, 70],
  blue: [50, 80, 230],
  yellow: [230, 210, 40],
};
const shapes: { readonly [name: string]: (x: number, y: number) => boolean } = {
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.7,
  disc: (x, y) => x * x + y * y < 0.6,
};

/**
 * Writes a data folder of pictures, each of one colour and shape that its caption names, at a random place in a random size; a
 * third of them held out. The same seed gives the same bytes.
 * @param count - a multiple of 8 has as many of each
 * @param size - edge length in pixels
 */
export async function writeShapes(store: FileStore, count = 192, size = 8): Promise<void> {
  const draws = hostUniform(key(7), 4 * count);
  const kinds = Object.keys(colours).flatMap((colour) => Object.keys(shapes).map((shape) => [colour, shape] as const));
  const pixels = new Uint8Array(count * 3 * size * size);
  const items = Array.from({ length: count }, (_, i): ManifestItem => {
    const [colour, shape] = kinds[i % kinds.length]!;
    const [x, y, large, light] = [...draws.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];
    const radius = ((2 + 2 * large) * size) / 8;
    const [left, top] = [radius + x * (size - 2 * radius), radius + y * (size - 2 * radius)];
    for (let at = 0; at < size * size; at++) {
      const inside = shapes[shape]!(((at % size) + 0.5 - left) / radius, (Math.floor(at / size) + 0.5 - top) / radius);
      const paint = inside ? colours[colour]! : ([245, 245, 245] as const);
      for (let c = 0; c < 3; c++)
        pixels[(3 * i + c) * size * size + at] = Math.round(paint[c]! * (0.85 + 0.15 * light));
    }
    const split = Math.floor(i / kinds.length) % 3 === 2 ? 'test' : 'train';
    const caption = `${colour} ${shape}`;
    return { id: `${i}.png`, caption, group: `${i}`, category: caption, licence: 'CC0-1.0', split };
  });
  const captions = items.map(({ caption }) => caption);
  const vocabulary = buildVocabulary(captions, 100);
  const manifest: Manifest = {
    ...{ version: 1, size, channels: 3, maxTokens: 4, normalization: { scale: 127.5, offset: -1 } },
    ...{ vocabulary, count, holdout: { fraction: 1 / 3, seed: 7, by: 'group' }, items, skipped: [] },
  };
  await writeManifestFolder(store, manifest, { images: pixels, tokens: encodeCaptions(captions, vocabulary, 4) });
}
