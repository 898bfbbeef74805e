// What a data folder holds of its pictures, a range of records at a time: pixels, the words and class of each, and what codec and
// text encoder make of them.
import { encodeCaptions } from '@paris/model';
import { classNumber } from '@paris/model/classes';
import { columnOf, type DataColumns } from '../data/columns.js';
import type { Encodings } from '../data/encodings.js';
import type { DataFormat, DataItem } from '../data/formats.js';
import type { Items } from '../data/items.js';
import type { Rows } from '../data/rows.js';
import type { CaptionEncoder } from '../encode/captions.js';
import type { LatentEncoder } from '../encode/latents.js';
import { DataError } from '../errors.js';
import { reduced } from './reduced.js';

/** What encodes pictures, and what is kept of the pictures themselves. */
export interface RecordEncoders {
  /** Edge length of the pictures that are encoded. */
  readonly size: number;
  /** Edge length of those that are kept, a divisor of `size`. */
  readonly keep: number;
  readonly latents?: LatentEncoder | undefined;
  readonly captions?: CaptionEncoder | undefined;
  /** Called after some records. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the columns are that encoders add. */
export function encodingsBy({ latents, captions }: RecordEncoders): Encodings {
  return { ...(latents && { latents: latents.format }), ...(captions && { text: captions.format }) };
}

/**
 * The records of pictures.
 * @param stored - `images` of each item at the size that `encoders` take, and columns that are encoded already
 * @throws DataError from `read` for a picture without a class, or of one that is not in the list; the signal's reason
 */
export function recordRows(stored: Rows, items: Items, format: DataFormat, encoders?: RecordEncoders): Rows {
  const { vocabulary, maxTokens, classes } = format;
  return {
    count: stored.count,
    async read(from, count) {
      const own = await items.read(from, count);
      const columns = await stored.read(from, count);
      const captions = own.map((item) => item.caption);
      return {
        ...columns,
        tokens: encodeCaptions(captions, vocabulary, maxTokens),
        ...(classes && { label: Uint32Array.from(own, (item) => numberOf(item, classes)) }),
        ...(encoders && (await encoded(columnOf(columns, 'images', 'u8'), captions, encoders, [from, stored.count]))),
      };
    },
  };
}

function numberOf({ id, category }: DataItem, classes: NonNullable<Encodings['classes']>): number {
  const found = category ? classNumber(classes, category) : undefined; // '' would be "anything"
  if (found !== undefined) return found;
  const what = !category ? 'has no class' : `is of class ${JSON.stringify(category)}`;
  const such = classes.names ? `, such as ${JSON.stringify(classes.names[0])}` : ', numbered from 0';
  const list = `the list has ${classes.classes}${such}`;
  throw new DataError('prepare', `${JSON.stringify(id)} ${what}, and ${list}. Correct the list or the class.`);
}

/** Records at once, between two looks at the signal. What one becomes does not depend on the others. */
const BATCH = 32;

async function encoded(
  pixels: Uint8Array,
  captions: readonly string[],
  { size, keep, latents, captions: texts, onProgress, signal }: RecordEncoders,
  [done, total]: readonly [number, number],
): Promise<DataColumns> {
  const area = 3 * size * size;
  const parts: DataColumns[] = [];
  for (let from = 0; from < captions.length; from += BATCH) {
    signal?.throwIfAborted();
    const some = captions.slice(from, from + BATCH);
    const pictures = pixels.subarray(from * area, (from + some.length) * area);
    const features = await texts?.encode(some);
    parts.push({
      images: reduced(pictures, size, keep),
      ...(latents && { latents: await latents.encode(pictures, some.length) }),
      ...(features && { text: features.text, ...(features.textMask && { text_mask: features.textMask }) }),
    });
    onProgress?.(done + from + some.length, total);
  }
  return joined(parts);
}

/** The same columns one after the other. */
function joined(parts: readonly DataColumns[]): DataColumns {
  return Object.fromEntries(
    Object.keys(parts[0] ?? {}).map((name) => {
      const all = parts.map((part) => part[name]!);
      const length = all.reduce((sum, data) => sum + data.length, 0);
      const whole = all[0] instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
      let at = 0;
      for (const data of all) {
        whole.set(data as Float32Array, at);
        at += data.length;
      }
      return [name, whole];
    }),
  );
}
