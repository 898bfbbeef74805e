// The pictures of rows, a batch at a time.
import type { ImageStream } from '@paris/clustering';
import { columnOf } from './columns.js';
import type { DataFormat } from './formats.js';
import type { Rows } from './rows.js';

/** Bytes of a batch at most, unless one picture has more. */
const batchBytes = 16 * 2 ** 20;
/** Pictures of a batch at most: features of small ones are larger than they are. */
const batchCount = 4096;

/** The column `images` of rows, for an encoder. */
export function imageStream(rows: Rows, { size }: DataFormat): ImageStream {
  const most = Math.min(batchCount, Math.max(1, Math.floor(batchBytes / (3 * size * size))));
  return {
    count: rows.count,
    size,
    async *batches() {
      for (let from = 0; from < rows.count; from += most) {
        const count = Math.min(most, rows.count - from);
        yield { pixels: columnOf(await rows.read(from, count), 'images', 'u8'), count, size };
      }
    },
  };
}
