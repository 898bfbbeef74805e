// Records as rows that are read in ranges: training and evaluation read the rows that they need, and do not hold a whole
// folder in one array.
import { copyRecords, type DataColumns, emptyColumns, rangeOf, recordBytes } from './columns.js';
import type { DataFormat } from './formats.js';

/** Records that can be read in ranges; row i belongs to item i of the manifest. */
export interface Rows {
  readonly count: number;
  /** The first row of each file, ascending, where they are in several: one that is damaged is not to stop those beside it. */
  readonly starts?: readonly number[] | undefined;
  /** The rows [from, from + count) of every column, which are not to be changed. */
  read(from: number, count: number): Promise<DataColumns>;
}

/** Rows that are in memory as a whole. */
export function rowsOf(columns: DataColumns, format: DataFormat & { count: number }): Rows {
  return {
    count: format.count,
    read: async (from, count) => rangeOf(columns, format, from, count),
  };
}

/** Bytes between two rows that are read with them: opening a file again takes longer. */
const GAP_BYTES = 64 * 2 ** 10;
/** Bytes of rows that are read at once at most, unless one has more. */
const READ_BYTES = 2 ** 20;

/**
 * Rows by their numbers, in the order and as often as they are named: columns of B records, which are the caller's. Each row is
 * read once, those close to each other together, and a few of these reads at a time: most of one is waiting for a disk.
 */
export async function gatherRows(rows: Rows, format: DataFormat, indices: ArrayLike<number>): Promise<DataColumns> {
  const gathered = emptyColumns(format, indices.length);
  const places = Array.from(indices, (row, at) => ({ row, at })).sort((a, b) => a.row - b.row);
  const [gap, most] = [GAP_BYTES, READ_BYTES].map((bytes) => Math.ceil(bytes / recordBytes(format))) as [
    number,
    number,
  ];
  const fileOf = (row: number) => (rows.starts ? lastUpTo(rows.starts, row) : 0);
  const isClose = (row: number, first: number, last: number) =>
    row - last <= 1 || (row - last <= gap && row - first < most && fileOf(row) === fileOf(last));
  let start = 0;
  const readNext = async () => {
    while (start < places.length) {
      let end = start + 1;
      while (end < places.length && isClose(places[end]!.row, places[start]!.row, places[end - 1]!.row)) end++;
      const run = places.slice(start, end);
      start = end;
      const from = run[0]!.row;
      const range = await rows.read(from, run.at(-1)!.row - from + 1);
      for (const { row, at } of run) copyRecords(format, [range, row - from], [gathered, at]);
    }
  };
  const stopping = () =>
    readNext().catch((error: unknown) => {
      start = places.length; // the others read no more
      throw error;
    });
  await Promise.all(Array.from({ length: readsAtATime }, stopping));
  return gathered;
}

const readsAtATime = 4;

/** Rows by their numbers, as rows again: row i is row `indices[i]` of `rows`. */
export function pickRows(rows: Rows, format: DataFormat, indices: ArrayLike<number>): Rows {
  return {
    count: indices.length,
    read: (from, count) =>
      gatherRows(
        rows,
        format,
        Array.from({ length: count }, (_, i) => indices[from + i]!),
      ),
  };
}

/** The rows of several one after the other. Of these, only those are read that a range is in. */
export function joinRows(all: readonly Rows[], format: DataFormat): Rows {
  const starts: number[] = [];
  let count = 0;
  for (const rows of all) {
    starts.push(count);
    count += rows.count;
  }
  return {
    count,
    starts,
    async read(from, wanted) {
      const columns = emptyColumns(format, wanted);
      let done = 0;
      for (let at = lastUpTo(starts, from); done < wanted; at++) {
        const start = from + done - starts[at]!;
        const length = Math.min(wanted - done, all[at]!.count - start);
        if (length <= 0) continue;
        copyRecords(format, [await all[at]!.read(start, length), 0], [columns, done], length);
        done += length;
      }
      return columns;
    },
  };
}

/** The last place whose start is at most `row`: by halves. */
function lastUpTo(starts: readonly number[], row: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Some rows of columns in memory: `indices` [B] → columns of B records. */
export function selectRows(columns: DataColumns, format: DataFormat, indices: ArrayLike<number>): DataColumns {
  const selected = emptyColumns(format, indices.length);
  Array.from(indices).forEach((row, at) => {
    copyRecords(format, [columns, row], [selected, at]);
  });
  return selected;
}

/** value = byte / scale + offset, [-1, 1] with the values that `prepare` writes. */
export function normalise(pixels: Uint8Array, { scale, offset }: DataFormat['normalization']): Float32Array {
  const values = new Float32Array(pixels.length); // Float32Array.from takes ten times as long
  for (let i = 0; i < values.length; i++) values[i] = pixels[i]! / scale + offset;
  return values;
}

/** At most so many of a list, spread evenly over it, in its order. */
export function spread<T>(items: readonly T[], most: number): T[] {
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}
