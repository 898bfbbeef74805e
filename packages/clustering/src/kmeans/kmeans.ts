// k-means with restarts: seeding, Lloyd's iterations, empty clusters seeded again. All of it follows from a seed.
import { type Device, key } from '@paris/tensor';
import { changedRows, type FeatureRows, type Features, gatherRows } from '../feature-rows.js';
import { checkFilled, checkProblem } from './check.js';
import { type Frame, frameOf } from './frame.js';
import { lloyd } from './lloyd.js';
import { DeviceRows, type Metric } from './nearest.js';
import { type Seeding, type SeedingProblem, seedCentroids } from './seeding.js';

/** How many clusters, by which metric, and how long to look for them. All draws follow from `seed`. */
export interface KMeansOptions {
  /** The number of clusters, K. */
  readonly clusters: number;
  /** Default 'spherical': rows and centroids have unit length. */
  readonly metric?: Metric;
  /** Default 'k-means++'. 'random' takes K different rows, each equally likely. */
  readonly seeding?: Seeding;
  /** Centroids [K, D] to start from, instead of seeding; then there is one restart. */
  readonly initial?: Float32Array;
  /** Default 0. Restart r uses `key(seed).foldIn(r)`. */
  readonly seed?: number;
  /** How often to start again; the lowest inertia is kept, the first of equal ones. Default 3. */
  readonly restarts?: number;
  /** Iterations per restart. Default 100. */
  readonly maxIterations?: number;
  /** Stop when the centroids' squared shift falls to this share of the mean squared distance. Default 1e-3. */
  readonly tolerance?: number;
}

/** The clusters of the best restart, with the cluster of each row. */
export interface KMeansResult {
  /** [K, D] */
  readonly centroids: Float32Array;
  /** The nearest centroid of each row, [N]. */
  readonly labels: Uint32Array;
  /** Rows per cluster, [K]. */
  readonly sizes: number[];
  /** Σ of the squared distances to the nearest centroid. */
  readonly inertia: number;
  /** Of the restart that was kept. */
  readonly iterations: number;
  readonly restart: number;
}

/**
 * Clusters the rows of `features` [N, dimensions]. An empty cluster is seeded again with the row that is farthest from
 * its centroid. Euclidean distances are measured from the mean of all rows, so that they keep their digits however far
 * from 0 the rows are. Rows that are in memory are on the device while it works, N · D · 4 bytes; others are read
 * at each pass, some megabytes at a time. The result is the same.
 * @throws ClusteringError for fewer (different) rows than clusters, for values that are not finite, for bad options
 */
export async function kMeans(
  device: Device,
  features: Features,
  dimensions: number,
  options: KMeansOptions,
): Promise<KMeansResult> {
  const { clusters, metric = 'spherical', maxIterations = 100, tolerance = 1e-3 } = options;
  const given = await checkProblem('kMeans', features, dimensions, options);
  const frame = await frameOf(given, metric);
  const rows = changedRows(given, frame.enter);
  using data = new DeviceRows(device, rows, clusters);
  const step = lloyd(device, metric);

  return await bestOfRestarts({ device, rows, clusters, metric, frame }, options, async (start) => {
    let centroids = start;
    let iterations = 0;
    for (let converged = false; iterations < maxIterations && !converged; iterations++) {
      const { counts, inertia, shift, ...next } = await step(data, centroids);
      centroids = next.centroids;
      const empty = emptyOf(counts);
      if (empty.length > 0) await reseed(centroids, empty, rows, (await data.place(centroids)).distances);
      converged = empty.length === 0 && shift <= (tolerance * inertia) / rows.count;
    }
    const { labels, distances } = await data.place(centroids);
    return { centroids, labels, inertia: sum(distances), iterations };
  });
}

/**
 * Looks for clusters from several starts and keeps those of the lowest inertia, the first of equal ones.
 * @param problem - its rows are in the coordinates of its frame
 * @param search - from centroids [K, D], its own to change, to the clusters that it ends with
 */
export async function bestOfRestarts(
  problem: SeedingProblem & { readonly frame: Frame },
  options: KMeansOptions,
  search: (start: Float32Array) => Promise<Omit<KMeansResult, 'sizes' | 'restart'>>,
): Promise<KMeansResult> {
  const { seeding = 'k-means++', initial, seed = 0, restarts = initial ? 1 : 3 } = options;
  const { frame } = problem;
  let best: KMeansResult | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const start = initial
      ? frame.enterCentroids(initial).slice()
      : await seedCentroids(problem, seeding, key(seed).foldIn(restart));
    const found = await search(start);
    if (best && found.inertia >= best.inertia) continue;
    best = { ...found, sizes: sizesOf(found.labels, problem.clusters), restart };
  }
  await checkFilled('kMeans', problem, best!.sizes);
  return { ...best!, centroids: frame.leave(best!.centroids) };
}

/** Rows per cluster [K], from the cluster of each row. */
export function sizesOf(labels: ArrayLike<number>, clusters: number): number[] {
  const sizes = new Array<number>(clusters).fill(0);
  for (let i = 0; i < labels.length; i++) sizes[labels[i]!]! += 1;
  return sizes;
}

/** Clusters without rows. */
export function emptyOf(counts: ArrayLike<number>): number[] {
  return Array.from(counts).flatMap((count, k) => (count === 0 ? [k] : []));
}

/** Gives each empty cluster the farthest row that is left (the first of equal ones). Changes `centroids`. */
export async function reseed(
  centroids: Float32Array,
  empty: readonly number[],
  rows: FeatureRows,
  distances: Float32Array,
): Promise<void> {
  const { dimensions } = rows;
  const order = Uint32Array.from(distances, (_, i) => i).sort((a, b) => distances[b]! - distances[a]! || a - b);
  const farthest = await gatherRows(rows, order.slice(0, empty.length));
  for (const [place, k] of empty.entries()) {
    centroids.set(farthest.subarray(place * dimensions, (place + 1) * dimensions), k * dimensions);
  }
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
