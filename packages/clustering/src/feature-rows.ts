// Features as rows [N, D] that are read a range at a time: from memory, from a file or from wherever else they are.
import { ClusteringError } from './errors.js';

/** Features [N, D] that are read a range at a time, so that all of them need not fit into memory. */
export interface FeatureRows {
  /** The number of rows, N. */
  readonly count: number;
  /** The length of a row, D. */
  readonly dimensions: number;
  /** All rows [N, D], where they are in memory. k-means then keeps them on the device; others it reads at each pass. */
  readonly values?: Float32Array | undefined;
  /** The rows [from, from + count) as [count, D]: the same at each call. What it gives is not changed. */
  read(from: number, count: number): Promise<Float32Array>;
}

/** Features as one array [N, D] in memory, or as rows that are read. */
export type Features = Float32Array | FeatureRows;

/** Rows [N, dimensions] that are in memory. */
export function featureRows(values: Float32Array, dimensions: number): FeatureRows & { readonly values: Float32Array } {
  return new MemoryRows(values, dimensions);
}

class MemoryRows implements FeatureRows {
  constructor(
    readonly values: Float32Array,
    readonly dimensions: number,
  ) {}

  get count(): number {
    return this.values.length / this.dimensions;
  }

  async read(from: number, count: number): Promise<Float32Array> {
    return this.values.subarray(from * this.dimensions, (from + count) * this.dimensions);
  }
}

/** Rows as `change` makes them of a piece [n, D]: at once where they are in memory, else of each piece that is read. */
export function changedRows(rows: FeatureRows, change: (piece: Float32Array) => Float32Array): FeatureRows {
  const { count, dimensions, values } = rows;
  if (values) return featureRows(change(values), dimensions);
  return { count, dimensions, read: async (from, wanted) => change(await rows.read(from, wanted)) };
}

/** Numbers that are read at a time, 4 MiB of them. */
const pieceNumbers = 2 ** 20;

/** How many rows are read at a time: a power of two, from 512 on. */
export function pieceLength(dimensions: number): number {
  return 2 ** Math.max(9, Math.floor(Math.log2(pieceNumbers / dimensions)));
}

/** Some rows in their order, and which is the first. */
export interface Piece {
  readonly from: number;
  /** [≤ most, D] */
  readonly piece: Float32Array;
}

/** All rows in pieces of `most`; only the last is shorter. */
export async function* piecesOf(rows: FeatureRows, most: number = pieceLength(rows.dimensions)): AsyncGenerator<Piece> {
  for (let from = 0; from < rows.count; from += most) {
    yield { from, piece: await readRows(rows, from, Math.min(most, rows.count - from)) };
  }
}

/** Rows that are further apart than this are not read together. */
const gapRows = 64;

/** The rows of these numbers [n], in the order in which they are named, as [n, D]. Those close to each other are read together. */
export async function gatherRows(rows: FeatureRows, numbers: Uint32Array): Promise<Float32Array> {
  const { dimensions } = rows;
  const gathered = new Float32Array(numbers.length * dimensions);
  const places = numbers.map((_, place) => place).sort((a, b) => numbers[a]! - numbers[b]!);
  const most = rows.values ? rows.count : pieceLength(dimensions);
  const numberAt = (at: number) => numbers[places[at]!]!;
  for (let at = 0; at < places.length; ) {
    const from = numberAt(at);
    let end = at + 1;
    const isClose = () => numberAt(end) - numberAt(end - 1) <= gapRows && numberAt(end) - from < most;
    while (end < places.length && isClose()) end++;
    const piece = await readRows(rows, from, numberAt(end - 1) - from + 1);
    for (; at < end; at++) {
      const start = (numberAt(at) - from) * dimensions;
      gathered.set(piece.subarray(start, start + dimensions), places[at]! * dimensions);
    }
  }
  return gathered;
}

/** All rows in memory, [N, D]. */
export async function allRows(rows: FeatureRows): Promise<Float32Array> {
  if (rows.values) return rows.values;
  const all = new Float32Array(rows.count * rows.dimensions);
  for await (const { from, piece } of piecesOf(rows)) all.set(piece, from * rows.dimensions);
  return all;
}

async function readRows(rows: FeatureRows, from: number, count: number): Promise<Float32Array> {
  const { dimensions, values } = rows;
  if (values) return values.subarray(from * dimensions, (from + count) * dimensions);
  const read = await rows.read(from, count);
  if (read.length === count * dimensions) return read;
  const what = `rows [${from}, ${from + count}) have ${read.length} numbers, not ${count} × ${dimensions}`;
  throw new ClusteringError('features', `${what}. Read each row in full.`);
}
