// The pictures of a source, one at a time: what is said of them in memory, their pixels in a store.
import { byCodeUnit } from '@paris/files';
import { columnOf } from '../data/columns.js';
import type { DataItem } from '../data/formats.js';
import type { Rows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { Looks } from './looks.js';
import type { DecodedPicture, PixelSource, SkippedPicture } from './picture-source.js';
import { type PixelStore, picked } from './spool.js';

/** Pictures in the order in which they are to be stored. */
export interface Collected {
  readonly items: readonly DataItem[];
  /** The column `images`. */
  readonly pixels: Rows;
  /** Absent if near-copies are not looked for. */
  readonly looks: Looks | undefined;
  readonly skipped: readonly SkippedPicture[];
}

/** How pictures are collected. */
export interface CollectOptions {
  size: number;
  /** `name`: by code unit; of two with one name, the first in the source counts, the other is skipped. Default `source`. */
  order?: 'source' | 'name' | undefined;
  nearCopies?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws DataError for a picture of another size; the signal's reason when it is aborted */
export async function collect(
  pictures: PixelSource,
  store: PixelStore,
  { size, order = 'source', nearCopies = true, signal }: CollectOptions,
): Promise<Collected> {
  const items: DataItem[] = [];
  const numbers: number[] = [];
  const skipped: SkippedPicture[] = [];
  const names = new Set<string>();
  const looks = nearCopies ? new Looks({ channels: 3, size }) : undefined;
  for await (const picture of pictures) {
    signal?.throwIfAborted();
    if ('reason' in picture) {
      skipped.push(picture);
      continue;
    }
    const { item } = picture;
    if (order === 'name' && names.has(item.id)) {
      skipped.push({ file: item.id, reason: 'another picture has this name' });
      continue;
    }
    names.add(item.id);
    const isStored = 'row' in picture;
    const pixels = isStored ? await pixelsOf(store, picture.row) : checked(picture, size);
    items.push(item);
    looks?.add(pixels);
    numbers.push(isStored ? picture.row : await store.add(pixels, picture.key));
  }
  if (order === 'source') return { items, pixels: picked(store, Uint32Array.from(numbers)), looks, skipped };
  const sorted = Uint32Array.from(items.keys()).sort((a, b) => byCodeUnit(items[a]!.id, items[b]!.id));
  return {
    items: Array.from(sorted, (at) => items[at]!),
    pixels: picked(
      store,
      sorted.map((at) => numbers[at]!),
    ),
    looks: looks?.inOrder(sorted),
    skipped: skipped.sort((a, b) => byCodeUnit(a.file, b.file)),
  };
}

async function pixelsOf({ rows }: PixelStore, row: number): Promise<Uint8Array> {
  return columnOf(await rows.read(row, 1), 'images', 'u8');
}

function checked({ item, pixels }: DecodedPicture, size: number): Uint8Array {
  const area = 3 * size * size;
  if (pixels.length === area) return pixels;
  const got = `${pixels.length} bytes, not ${area} (3 × ${size} × ${size})`;
  throw new DataError('prepare', `${JSON.stringify(item.id)} has ${got}. Resize pictures before.`);
}
