// Arithmetic of rows [N, D].
import { type FeatureRows, piecesOf } from '../feature-rows.js';

/** The mean of rows [N, D], summed up in float64 in their order: the same on every host. */
export async function meanRow(rows: FeatureRows): Promise<Float32Array> {
  const sums = new Float64Array(rows.dimensions);
  for await (const { piece } of piecesOf(rows)) {
    for (let i = 0; i < piece.length; i++) sums[i % rows.dimensions]! += piece[i]!;
  }
  const count = Math.max(1, rows.count);
  return Float32Array.from(sums, (sum) => sum / count);
}

/** Rows with a row added to, or taken from, each. */
export function moved(rows: Float32Array, by: Float32Array, sign: 1 | -1): Float32Array {
  const shifted = new Float32Array(rows.length); // Float32Array.from takes ten times as long
  for (let i = 0; i < rows.length; i++) shifted[i] = rows[i]! + sign * by[i % by.length]!;
  return shifted;
}

/** The Euclidean distance of row i of `x` and row j of `y`. */
export function distance(x: Float32Array, i: number, y: Float32Array, j: number, dimensions: number): number {
  let squares = 0;
  for (let d = 0; d < dimensions; d++) squares += (x[i * dimensions + d]! - y[j * dimensions + d]!) ** 2;
  return Math.sqrt(squares);
}
