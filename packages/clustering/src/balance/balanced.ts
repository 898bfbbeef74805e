// k-means with clusters of equal size.
import type { Device, Tensor } from '@paris/tensor';
import { ClusteringError } from '../errors.js';
import { changedRows, type FeatureRows, type Features, piecesOf } from '../feature-rows.js';
import { checkProblem } from '../kmeans/check.js';
import { frameOf } from '../kmeans/frame.js';
import { bestOfRestarts, type KMeansOptions, type KMeansResult, sizesOf } from '../kmeans/kmeans.js';
import { DeviceRows, type Metric, prepareRows } from '../kmeans/nearest.js';
import { auctionAssignment, equalCapacities } from './auction.js';

/** Costs that are held on the host, N · K, wherever the rows are. */
const mostCosts = 2 ** 25;

/**
 * k-means whose clusters differ by one row at most: each iteration assigns by {@link auctionAssignment} instead of to the
 * nearest centroid (Malinen & Fränti 2014, "Balanced k-means for clustering", which solves the same assignment another
 * way). The balance is that of `labels`; the nearest centroids of the same rows may be less even.
 * @param features - [N, dimensions], N · K ≤ 2²⁵: the distances of all rows to all centroids are held, 4 · K bytes a row
 * @throws ClusteringError as {@link kMeans} does, and for more rows × clusters than that
 */
export async function balancedKMeans(
  device: Device,
  features: Features,
  dimensions: number,
  options: KMeansOptions,
): Promise<KMeansResult> {
  const { clusters, metric = 'spherical', maxIterations = 100, tolerance = 1e-3 } = options;
  const given = await checkProblem('balancedKMeans', features, dimensions, options);
  const { count } = given;
  if (count * clusters > mostCosts) {
    const fix = 'Balance the fine centroids of two stages instead.';
    throw new ClusteringError('balancedKMeans', `${count} × ${clusters} distances are more than 2²⁵. ${fix}`);
  }
  const frame = await frameOf(given, metric);
  const rows = changedRows(given, frame.enter);
  using data = new DeviceRows(device, rows, clusters);
  const distancesTo = squaredDistances(data);
  const capacities = equalCapacities(count, clusters);

  return await bestOfRestarts({ device, rows, clusters, metric, frame }, options, async (start) => {
    let centroids = start;
    let costs = await distancesTo(centroids);
    let labels = auctionAssignment(costs, capacities);
    let iterations = 0;
    for (let converged = false; iterations < maxIterations && !converged; iterations++) {
      const next = await meansOf(rows, labels, clusters, metric);
      converged = shiftOf(centroids, next) <= (tolerance * costOf(costs, labels)) / count;
      centroids = next;
      costs = await distancesTo(centroids);
      labels = auctionAssignment(costs, capacities);
    }
    return { centroids, labels, inertia: costOf(costs, labels), iterations };
  });
}

/** The mean row of each cluster [K, D], of length 1 if spherical; zeros for a cluster without rows. */
export async function meansOf(
  rows: FeatureRows,
  labels: ArrayLike<number>,
  clusters: number,
  metric: Metric,
): Promise<Float32Array> {
  const { dimensions } = rows;
  const sums = new Float64Array(clusters * dimensions);
  for await (const { from, piece } of piecesOf(rows)) {
    for (let i = 0; i < piece.length / dimensions; i++) {
      const to = labels[from + i]! * dimensions;
      for (let d = 0; d < dimensions; d++) sums[to + d]! += piece[i * dimensions + d]!;
    }
  }
  const sizes = sizesOf(labels, clusters);
  const means = Float32Array.from(sums, (sum, i) => sum / Math.max(1, sizes[Math.floor(i / dimensions)]!));
  return prepareRows(means, dimensions, metric);
}

/** centroids [K, D] → squared distances [N, K]. */
function squaredDistances(data: DeviceRows): (centroids: Float32Array) => Promise<Float32Array> {
  const { device, chunk } = data;
  const { count, dimensions } = data.rows;
  const between = device.compile((some: Tensor, centroids: Tensor) => {
    const squares = some.square().sum(1, { keepDims: true }); // [R, 1]
    const products = some.matmul(centroids.transpose()); // [R, K]
    return squares
      .add(centroids.square().sum(1).reshape([1, -1]))
      .sub(products.mul(2))
      .maximum(0);
  });
  return async (centroids) => {
    const clusters = centroids.length / dimensions;
    const all = new Float32Array(count * clusters);
    using targets = device.tensor(centroids, { shape: [clusters, dimensions] });
    // Chunks as a whole: which kernel multiplies, and so its rounding, may follow from the number of rows.
    for await (const { from, tensor } of data.pieces(chunk)) {
      using distances = await between(tensor, targets);
      all.set((await distances.read()) as Float32Array, from * clusters);
    }
    return all;
  };
}

function costOf(costs: Float32Array, labels: Uint32Array): number {
  const clusters = costs.length / labels.length;
  let total = 0;
  for (const [row, label] of labels.entries()) total += costs[row * clusters + label]!;
  return total;
}

function shiftOf(before: Float32Array, after: Float32Array): number {
  let total = 0;
  for (const [i, value] of after.entries()) total += (value - before[i]!) ** 2;
  return total;
}
