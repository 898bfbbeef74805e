/** Nearest centroids on the device: one piece of code for training a partition and for placing a new picture. */
import { argmin, type Device, type DType, type Tensor } from '@paris/tensor';

/** How far pictures are from centroids. On unit vectors |a − b|² = 2·(1 − cos(a, b)): spherical is euclidean there. */
export type Metric = 'spherical' | 'euclidean';

/** Rows a call: always the same number, so that a picture's label does not depend on which others come with it. */
const chunkRows = 1024;

/** Squared distances of features [N, D] to centroids [K, D]: the nearest one's index [N] and its distance [N]. */
export function nearest(
  features: Tensor,
  centroids: Tensor,
): {
  labels: Tensor<DType>;
  distances: Tensor<DType>;
} {
  const squares = features.square().sum(1, { keepDims: true }); // [N, 1]
  const centroidSquares = centroids.square().sum(1).reshape([1, -1]); // [1, K]
  const products = features.matmul(centroids.transpose()); // [N, K]
  const distances = squares.add(centroidSquares).sub(products.mul(2)).maximum(0); // rounding may go below zero
  return { labels: argmin(distances, 1), distances: distances.min(1) };
}

/**
 * The nearest centroid of each row, and the squared distance to it.
 * @param features - [N, D], prepared by {@link prepareRows} for the metric
 * @param centroids - [K, D]
 */
export async function nearestCentroids(
  device: Device,
  features: Float32Array,
  centroids: Float32Array,
  dimensions: number,
): Promise<{ labels: Uint32Array; distances: Float32Array }> {
  const count = features.length / dimensions;
  const labels = new Uint32Array(count);
  const distances = new Float32Array(count);
  const find = device.compile(nearest);
  using targets = device.tensor(centroids, { shape: [centroids.length / dimensions, dimensions] });
  for (let from = 0; from < count; from += chunkRows) {
    const rows = Math.min(chunkRows, count - from);
    const padded = new Float32Array(chunkRows * dimensions);
    padded.set(features.subarray(from * dimensions, (from + rows) * dimensions));
    using chunk = device.tensor(padded, { shape: [chunkRows, dimensions] });
    const found = await find(chunk, targets);
    labels.set((await found.labels.read()).subarray(0, rows), from);
    distances.set((await found.distances.read()).subarray(0, rows), from);
    found.labels.dispose();
    found.distances.dispose();
  }
  return { labels, distances };
}

/** Rows as the metric wants them: scaled to unit length for spherical, as they are for euclidean. */
export function prepareRows(features: Float32Array, dimensions: number, metric: Metric): Float32Array {
  if (metric === 'euclidean') return features;
  const rows = features.slice();
  for (let from = 0; from < rows.length; from += dimensions) {
    const row = rows.subarray(from, from + dimensions);
    let squares = 0;
    for (const value of row) squares += value * value;
    if (squares === 0) continue; // a row of zeros has no direction: equally far from all centroids
    const factor = 1 / Math.sqrt(squares);
    for (let i = 0; i < dimensions; i++) row[i]! *= factor;
  }
  return rows;
}
