// The pictures of a source, one at a time: what is said of them and their pixels go to where they wait.
import { byCodeUnit } from '@paris/files';
import { columnOf } from '../data/columns.js';
import type { Items } from '../data/items.js';
import { Numbers } from '../data/numbers.js';
import type { Rows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { ItemSpool } from './item-spool.js';
import { Looks, type OrderedLooks } from './looks.js';
import type { DecodedPicture, PixelSource, SkippedPicture } from './picture-source.js';
import { type PixelStore, picked } from './spool.js';

/** Pictures in the order in which they are to be stored. */
export interface Collected {
  readonly items: Items;
  /** The column `images`, and what is stored with it. */
  readonly pixels: Rows;
  /** Absent if near-copies are not looked for. */
  readonly looks: OrderedLooks | undefined;
  readonly skipped: readonly SkippedPicture[];
}

/** How pictures are collected. */
export interface CollectOptions {
  size: number;
  /** `name`: by code unit; of two with one name, the first in the source counts, the other is skipped. Default `source`. */
  order?: 'source' | 'name' | undefined;
  nearCopies?: boolean | undefined;
  /** Bytes of what is said of pictures that are held at most; more is written. Default, and at most, 4 MiB. */
  shardBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws DataError for a picture of another size; the signal's reason when it is aborted */
export async function collect(
  pictures: PixelSource,
  store: PixelStore,
  { size, order = 'source', nearCopies = true, shardBytes, signal }: CollectOptions,
): Promise<Collected> {
  const spool = new ItemSpool(store.scratch, { order, shardBytes });
  const numbers = new Numbers();
  const skipped: Skipped[] = [];
  const looks = nearCopies ? new Looks({ channels: 3, size }) : undefined;
  for await (const picture of pictures) {
    signal?.throwIfAborted();
    if ('reason' in picture) {
      skipped.push({ picture, before: spool.count });
      continue;
    }
    const isStored = 'row' in picture;
    const pixels = isStored ? await pixelsOf(store, picture.row) : checked(picture, size);
    await spool.add(picture.item);
    looks?.add(pixels);
    numbers.push(isStored ? picture.row : await store.add(pixels, picture.key));
  }
  const { items, order: at, repeated } = await spool.finish();
  const [all, places] = [numbers.all(), at.slice()];
  for (const [i, came] of at.entries()) places[i] = all[came]!;
  const others = repeated.map(({ id, at }): Skipped => {
    return { picture: { file: id, reason: 'another picture has this name' }, before: at + 0.5 };
  });
  const left = order === 'source' ? skipped : [...skipped, ...others].sort(byFile);
  return {
    items,
    pixels: picked(store, places),
    looks: looks && { looks, order: at },
    skipped: left.map(({ picture }) => picture),
  };
}

/** A picture that is left out, and how many others came before it. */
interface Skipped {
  readonly picture: SkippedPicture;
  readonly before: number;
}

function byFile(a: Skipped, b: Skipped): number {
  return byCodeUnit(a.picture.file, b.picture.file) || a.before - b.before;
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
