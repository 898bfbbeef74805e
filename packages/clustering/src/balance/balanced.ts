// k-means with clusters of equal size.
import type { Device, Tensor } from '@paris/tensor';
import { ClusteringError } from '../errors.js';
import { checkProblem } from '../kmeans/check.js';
import { frameOf } from '../kmeans/frame.js';
import { bestOfRestarts, type KMeansOptions, type KMeansResult, sizesOf } from '../kmeans/kmeans.js';
import { DeviceRows, type Metric, prepareRows } from '../kmeans/nearest.js';
import { auctionAssignment, equalCapacities } from './auction.js';

/** Costs that are held on the host, N · K. */
const mostCosts = 2 ** 25;

/**
 * k-means whose clusters differ by one row at most: each iteration assigns by {@link auctionAssignment} instead of to the
 * nearest centroid (Malinen & Fränti 2014, "Balanced k-means for clustering", which solves the same assignment another
 * way). The balance is that of `labels`; the nearest centroids of the same rows may be less even.
 * @param features - [N, dimensions], N · K ≤ 2²⁵
 * @throws ClusteringError as {@link kMeans} does, and for more rows × clusters than that
 */
export async function balancedKMeans(
  device: Device,
  features: Float32Array,
  dimensions: number,
  options: KMeansOptions,
): Promise<KMeansResult> {
  const { clusters, metric = 'spherical', maxIterations = 100, tolerance = 1e-3 } = options;
  checkProblem('balancedKMeans', features, dimensions, options);
  const count = features.length / dimensions;
  if (count * clusters > mostCosts) {
    const fix = 'Balance the fine centroids of two stages instead.';
    throw new ClusteringError('balancedKMeans', `${count} × ${clusters} distances are more than 2²⁵. ${fix}`);
  }
  const frame = frameOf(features, dimensions, metric);
  const rows = frame.enter(features);
  using data = new DeviceRows(device, rows, dimensions, clusters);
  const distancesTo = squaredDistances(data);
  const capacities = equalCapacities(count, clusters);

  return await bestOfRestarts({ device, rows, dimensions, clusters, metric, frame }, options, async (start) => {
    let centroids = start;
    let costs = await distancesTo(centroids);
    let labels = auctionAssignment(costs, capacities);
    let iterations = 0;
    for (let converged = false; iterations < maxIterations && !converged; iterations++) {
      const next = meansOf(rows, dimensions, labels, clusters, metric);
      converged = shiftOf(centroids, next) <= (tolerance * costOf(costs, labels)) / count;
      centroids = next;
      costs = await distancesTo(centroids);
      labels = auctionAssignment(costs, capacities);
    }
    return { centroids, labels, inertia: costOf(costs, labels), iterations };
  });
}

/** The mean row of each cluster [K, D], of length 1 if spherical; zeros for a cluster without rows. */
export function meansOf(
  rows: Float32Array,
  dimensions: number,
  labels: ArrayLike<number>,
  clusters: number,
  metric: Metric,
): Float32Array {
  const sums = new Float64Array(clusters * dimensions);
  for (let i = 0; i < labels.length; i++) {
    const to = labels[i]! * dimensions;
    for (let d = 0; d < dimensions; d++) sums[to + d]! += rows[i * dimensions + d]!;
  }
  const sizes = sizesOf(labels, clusters);
  const means = Float32Array.from(sums, (sum, i) => sum / Math.max(1, sizes[Math.floor(i / dimensions)]!));
  return prepareRows(means, dimensions, metric);
}

/** centroids [K, D] → squared distances [N, K]. */
function squaredDistances(rows: DeviceRows): (centroids: Float32Array) => Promise<Float32Array> {
  const { device, count, dimensions } = rows;
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
    let from = 0;
    for (const chunk of rows.chunks) {
      using distances = await between(chunk, targets);
      const part = (await distances.read()) as Float32Array;
      all.set(part, from);
      from += part.length;
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
