// Pictures as rows that are read a range at a time: what learns and measures asks for the rows that it needs, and does not
// hold a folder in one array.
import type { DataFormat } from './formats.js';

/** Pictures and their captions as numbers; row i belongs to item i of the manifest. */
export interface Pictures {
  /** u8 [N, C, S, S] */
  pixels: Uint8Array;
  /** u32 [N, L] */
  tokens: Uint32Array;
}

/** Pictures that can be read in ranges. */
export interface Rows {
  readonly count: number;
  /** The rows [from, from + count), which are not to be changed. */
  read(from: number, count: number): Promise<Pictures>;
}

/** Rows that are in memory as a whole. */
export function rowsOf(pictures: Pictures, format: DataFormat & { count: number }): Rows {
  return {
    count: format.count,
    read: async (from, count) => rangeOf(pictures, format, from, count),
  };
}

/**
 * Rows by their numbers, in the order and as often as they are named: pixels [B, C, S, S] and tokens [B, L], which are the
 * caller's. Each row is read once, neighbours together.
 */
export async function gatherRows(rows: Rows, format: DataFormat, indices: ArrayLike<number>): Promise<Pictures> {
  const [area, length] = [areaOf(format), format.maxTokens];
  const pixels = new Uint8Array(indices.length * area);
  const tokens = new Uint32Array(indices.length * length);
  const places = Array.from(indices, (row, at) => ({ row, at })).sort((a, b) => a.row - b.row);
  for (let start = 0, end = 0; start < places.length; start = end) {
    while (end < places.length && places[end]!.row - places[Math.max(start, end - 1)]!.row <= 1) end++;
    const from = places[start]!.row;
    const range = await rows.read(from, places[end - 1]!.row - from + 1);
    for (const { row, at } of places.slice(start, end)) {
      const one = rangeOf(range, format, row - from, 1);
      pixels.set(one.pixels, at * area);
      tokens.set(one.tokens, at * length);
    }
  }
  return { pixels, tokens };
}

/** Some rows of pictures in memory: `indices` [B] → pixels [B, C, S, S] and tokens [B, L]. */
export function selectRows(pictures: Pictures, format: DataFormat, indices: ArrayLike<number>): Pictures {
  const [area, length] = [areaOf(format), format.maxTokens];
  const pixels = new Uint8Array(indices.length * area);
  const tokens = new Uint32Array(indices.length * length);
  Array.from(indices).forEach((row, i) => {
    const one = rangeOf(pictures, format, row, 1);
    pixels.set(one.pixels, i * area);
    tokens.set(one.tokens, i * length);
  });
  return { pixels, tokens };
}

/** value = byte / scale + offset, [-1, 1] with the values that `prepare` writes. */
export function normalise(pixels: Uint8Array, { scale, offset }: DataFormat['normalization']): Float32Array {
  return Float32Array.from(pixels, (byte) => byte / scale + offset);
}

function areaOf({ channels, size }: DataFormat): number {
  return channels * size ** 2;
}

function rangeOf({ pixels, tokens }: Pictures, format: DataFormat, from: number, count: number): Pictures {
  const [area, length] = [areaOf(format), format.maxTokens];
  return {
    pixels: pixels.subarray(from * area, (from + count) * area),
    tokens: tokens.subarray(from * length, (from + count) * length),
  };
}
