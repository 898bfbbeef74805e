/**
 * k-means (Lloyd 1982) with k-means++ seeding (Arthur & Vassilvitskii 2007). The arithmetic runs on the device, one
 * compiled step an iteration; random choices are drawn on the host, so that a seed means the same everywhere.
 */
import { concat, type Device, type Key, key, oneHot, type Tensor, where } from '@paris/tensor';
import { drawIndex, draws, drawWeighted } from '../draws.js';
import { ClusteringError } from '../errors.js';
import { type Metric, nearest, nearestCentroids, prepareRows } from './nearest.js';

export interface KMeansOptions {
  /** The number of clusters, K. */
  readonly clusters: number;
  /** Default 'spherical': rows and centroids have unit length. */
  readonly metric?: Metric;
  /** Default 'k-means++'. 'random' takes K different rows, each equally likely. */
  readonly seeding?: 'k-means++' | 'random';
  /** Centroids [K, D] to start from, instead of seeding; then there is one restart. */
  readonly initial?: Float32Array;
  /** Default 0. Restart r uses `key(seed).foldIn(r)`. */
  readonly seed?: number;
  /** How often to start again; the lowest inertia is kept, the first of equals. Default 3. */
  readonly restarts?: number;
  /** Iterations a restart. Default 100. */
  readonly maxIterations?: number;
  /** Stop when the centroids' squared shift falls to this share of the mean squared distance. Default 1e-3. */
  readonly tolerance?: number;
}

export interface KMeansResult {
  /** [K, D] */
  readonly centroids: Float32Array;
  /** The nearest centroid of each row, [N]. */
  readonly labels: Uint32Array;
  /** Rows a cluster, [K]. */
  readonly sizes: number[];
  /** Σ of the squared distances to the nearest centroid. */
  readonly inertia: number;
  /** Of the restart that was kept. */
  readonly iterations: number;
  readonly restart: number;
}

/**
 * Clusters the rows of `features` [N, dimensions]. An empty cluster is seeded again with the row that is farthest from
 * its centroid.
 * @throws ClusteringError for fewer (different) rows than clusters, for values that are not finite, for bad options
 */
export async function kMeans(
  device: Device,
  features: Float32Array,
  dimensions: number,
  options: KMeansOptions,
): Promise<KMeansResult> {
  const { clusters, metric = 'spherical', seeding = 'k-means++', initial, seed = 0 } = options;
  const { restarts = initial ? 1 : 3, maxIterations = 100, tolerance = 1e-3 } = options;
  check(features, dimensions, { ...options, clusters, restarts, maxIterations, tolerance });
  const rows = prepareRows(features, dimensions, metric);
  const count = rows.length / dimensions;
  const problem: Problem = { device, rows, count, dimensions, clusters };
  const step = device.compile(metric === 'spherical' ? sphericalStep : euclideanStep);
  using data = device.tensor(rows, { shape: [count, dimensions] });

  let best: { centroids: Float32Array; inertia: number; iterations: number; restart: number } | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const restartKey = key(seed).foldIn(restart);
    const seedCentroids = seeding === 'random' ? seedRandomly : seedPlusPlus;
    let centroids = initial?.slice() ?? (await seedCentroids(problem, data, restartKey));
    let iterations = 0;
    for (let converged = false; iterations < maxIterations && !converged; iterations++) {
      using current = device.tensor(centroids, { shape: [clusters, dimensions] });
      const result = await step(data, current);
      const summary = (await result.summary.read()) as Float32Array; // [counts…, inertia, shift]
      centroids = (await result.centroids.read()) as Float32Array;
      result.summary.dispose();
      result.centroids.dispose();
      const empty = [...summary.subarray(0, clusters)].flatMap((size, k) => (size === 0 ? [k] : []));
      if (empty.length > 0) await reseed(problem, centroids, empty);
      converged = empty.length === 0 && summary[clusters + 1]! <= (tolerance * summary[clusters]!) / count;
    }
    const inertia = sum((await nearestCentroids(device, rows, centroids, dimensions)).distances);
    if (best === undefined || inertia < best.inertia) best = { centroids, inertia, iterations, restart };
  }
  const { labels } = await nearestCentroids(device, rows, best!.centroids, dimensions);
  const sizes = new Array<number>(clusters).fill(0);
  for (const label of labels) sizes[label]! += 1;
  return { ...best!, labels, sizes };
}

interface Problem {
  readonly device: Device;
  readonly rows: Float32Array;
  readonly count: number;
  readonly dimensions: number;
  readonly clusters: number;
}

const euclideanStep = (rows: Tensor, centroids: Tensor) => lloydStep(rows, centroids, false);
const sphericalStep = (rows: Tensor, centroids: Tensor) => lloydStep(rows, centroids, true);

/** One iteration: assign, then average. The sums over a cluster's rows are a matmul with the one-hot assignment. */
function lloydStep(rows: Tensor, centroids: Tensor, unit: boolean) {
  const clusters = centroids.shape[0]!;
  const { labels, distances } = nearest(rows, centroids);
  const members = oneHot(labels, clusters); // [N, K]
  const counts = members.sum(0); // [K]
  const means = members
    .transpose()
    .matmul(rows)
    .div(counts.maximum(1).reshape([clusters, 1])); // [K, D]
  // Spherical k-means (Dhillon & Modha 2001): the mean direction. The floor only matters for rows that cancel out.
  const scale = means.square().sum(1, { keepDims: true }).maximum(1e-20).pow(-0.5);
  const moved = unit ? means.mul(scale) : means;
  const next = where(counts.greater(0).reshape([clusters, 1]), moved, centroids);
  const shift = next.sub(centroids).square().sum();
  const summary = concat([counts, distances.sum().reshape([1]), shift.reshape([1])], 0);
  return { centroids: next, summary };
}

/** k-means++: each next centroid is a row drawn in proportion to its squared distance to the nearest one so far. */
async function seedPlusPlus(problem: Problem, data: Tensor, restartKey: Key): Promise<Float32Array> {
  const { device, rows, count, dimensions, clusters } = problem;
  const next = draws(restartKey);
  const distancesTo = device.compile((all: Tensor, one: Tensor) => nearest(all, one).distances);
  const centroids = new Float32Array(clusters * dimensions);
  const smallest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  let chosen = drawIndex(next, count);
  for (let k = 0; k < clusters; k++) {
    const row = rows.slice(chosen * dimensions, (chosen + 1) * dimensions);
    centroids.set(row, k * dimensions);
    if (k === clusters - 1) break;
    using centroid = device.tensor(row, { shape: [1, dimensions] });
    using distances = await distancesTo(data, centroid);
    // Rounding leaves copies of a chosen row at about 1e-7 instead of 0: they are no candidates.
    for (const [i, distance] of ((await distances.read()) as Float32Array).entries()) {
      smallest[i] = Math.min(smallest[i]!, distance < 1e-6 ? 0 : distance);
    }
    chosen = drawWeighted(smallest, next);
    if (chosen === -1) throw tooFew(k + 1, clusters, 'different pictures');
  }
  return centroids;
}

/** K different rows, each equally likely: the first K of a Fisher–Yates shuffle. */
async function seedRandomly(problem: Problem, _data: Tensor, restartKey: Key): Promise<Float32Array> {
  const { rows, count, dimensions, clusters } = problem;
  const next = draws(restartKey);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const centroids = new Float32Array(clusters * dimensions);
  for (let k = 0; k < clusters; k++) {
    const j = k + drawIndex(next, count - k);
    [order[k], order[j]] = [order[j]!, order[k]!];
    centroids.set(rows.subarray(order[k]! * dimensions, (order[k]! + 1) * dimensions), k * dimensions);
  }
  return centroids;
}

/** Gives each empty cluster the farthest row that is left (the first of equals). Changes `centroids`. */
async function reseed(problem: Problem, centroids: Float32Array, empty: number[]): Promise<void> {
  const { device, rows, dimensions } = problem;
  const { distances } = await nearestCentroids(device, rows, centroids, dimensions);
  const order = Array.from(distances.keys()).sort((a, b) => distances[b]! - distances[a]! || a - b);
  for (const [place, k] of empty.entries()) {
    const row = order[place]!;
    centroids.set(rows.subarray(row * dimensions, (row + 1) * dimensions), k * dimensions);
  }
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function check(features: Float32Array, dimensions: number, options: CheckedOptions): void {
  if (dimensions < 1 || features.length % dimensions !== 0) {
    throw new ClusteringError(
      'kMeans',
      `${features.length} numbers are no rows of ${dimensions}. Pass [N, D] features.`,
    );
  }
  const { initial, clusters } = options;
  if (initial && initial.length !== clusters * dimensions) {
    const wanted = `${clusters} × ${dimensions}`;
    throw new ClusteringError('kMeans', `initial has ${initial.length} numbers. Give the centroids, ${wanted}.`);
  }
  for (const name of ['clusters', 'restarts', 'maxIterations'] as const) {
    if (Number.isInteger(options[name]) && options[name] > 0) continue;
    throw new ClusteringError('kMeans', `${name} is ${options[name]}. Give a whole number from 1 on.`);
  }
  if (!(options.tolerance >= 0)) {
    throw new ClusteringError('kMeans', `tolerance is ${options.tolerance}. Give a number from 0 on.`);
  }
  const count = features.length / dimensions;
  if (count < options.clusters) throw tooFew(count, options.clusters, 'pictures');
  const bad = features.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return;
  const row = Math.floor(bad / dimensions);
  throw new ClusteringError(
    'kMeans',
    `feature ${bad % dimensions} of picture ${row} is ${features[bad]}. Mend the encoder.`,
  );
}

type CheckedOptions = KMeansOptions & Required<Pick<KMeansOptions, 'restarts' | 'maxIterations' | 'tolerance'>>;

function tooFew(count: number, clusters: number, what: string): ClusteringError {
  return new ClusteringError(
    'kMeans',
    `${count} ${what} cannot make ${clusters} clusters. Add pictures or ask for at most ${count} clusters.`,
  );
}
