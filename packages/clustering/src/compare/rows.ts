// Two sets of feature vectors that are compared.
import { ClusteringError } from '../errors.js';
import { checkFeatures } from '../kmeans/check.js';

/** Two sets of features of one length, as rows. */
export interface RowPair {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly dimensions: number;
}

/** @throws ClusteringError for features that are not rows of finite numbers, or fewer than `least` rows in a set */
export function checkPair(tag: string, { a, b, dimensions }: RowPair, least: number): { n: number; m: number } {
  for (const features of [a, b]) {
    checkFeatures(tag, features, dimensions);
    const count = features.length / dimensions;
    if (count < least) throw new ClusteringError(tag, `${least} pictures are needed in each set, got ${count}.`);
  }
  return { n: a.length / dimensions, m: b.length / dimensions };
}

/** Σ over dimensions of the product of row i of `x` and row j of `y`. */
export function dot(x: Float32Array, i: number, y: Float32Array, j: number, dimensions: number): number {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) sum += x[i * dimensions + d]! * y[j * dimensions + d]!;
  return sum;
}

/** The mean of numbers. */
export function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
