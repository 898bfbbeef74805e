// How good a clustering is, from its features alone. All of it in float64 on the host.
import { key } from '@paris/tensor';
import { meansOf } from '../balance/balanced.js';
import { draws } from '../draws.js';
import { ClusteringError } from '../errors.js';
import { allRows, changedRows, type FeatureRows, type Features, gatherRows, piecesOf } from '../feature-rows.js';
import { checkRows } from '../kmeans/check.js';
import { sizesOf } from '../kmeans/kmeans.js';
import { type Metric, prepareRows } from '../kmeans/nearest.js';
import { distance } from '../kmeans/rows.js';
import { sampleNumbers } from '../kmeans/seeding.js';

/** How even, compact and well separated clusters are. */
export interface ClusterQuality {
  /** Rows per cluster, [K]. */
  readonly sizes: number[];
  /** Mean silhouette, in [−1, 1], higher is better; of the sample. NaN if fewer than two clusters have rows. */
  readonly silhouette: number;
  /** Davies–Bouldin index, from 0 on, lower is better. NaN if fewer than two clusters have rows. */
  readonly daviesBouldin: number;
}

/** By which metric to judge, and how many rows the silhouette looks at. */
export interface QualityOptions {
  /** K. Default: the highest label plus one. */
  readonly clusters?: number;
  /** Default 'spherical': rows are scaled to unit length first. Distances are Euclidean in both cases. */
  readonly metric?: Metric;
  /** Rows that the silhouette, which is quadratic, looks at; drawn from `seed`. Default 2,000. */
  readonly sample?: number;
  readonly seed?: number;
}

/**
 * Sizes, silhouette and Davies–Bouldin index of a clustering. In memory are the silhouette's sample and a piece of the rows.
 * @param features - [N, dimensions]
 * @param labels - the cluster of each row, [N]
 * @throws ClusteringError for features that are not rows of finite numbers, or not one label a row
 */
export async function clusterQuality(
  features: Features,
  dimensions: number,
  labels: ArrayLike<number>,
  options: QualityOptions = {},
): Promise<ClusterQuality> {
  const { metric = 'spherical', sample = 2000, seed = 0 } = options;
  const given = await checkRows('clusterQuality', features, dimensions);
  checkLabels('clusterQuality', given.count, labels);
  const rows = changedRows(given, (piece) => prepareRows(piece, dimensions, metric));
  const clusters = options.clusters ?? Array.from(labels).reduce((most, label) => Math.max(most, label), 0) + 1;
  const few = await sampled(rows, labels, sample, seed);
  return {
    sizes: sizesOf(labels, clusters),
    silhouette: silhouette(few.rows, dimensions, few.labels, clusters),
    daviesBouldin: await daviesBouldin(rows, labels, clusters),
  };
}

/**
 * The rows of each cluster that are nearest to its centroid, nearest first: what to look at to see what a cluster is.
 * @param centroids - [K, dimensions]
 * @returns indices of rows, at most `count` a cluster, [K][≤ count]
 * @throws ClusteringError as {@link clusterQuality} does
 */
export async function nearestRows(
  features: Features,
  dimensions: number,
  labels: ArrayLike<number>,
  centroids: Float32Array,
  options: { readonly count?: number; readonly metric?: Metric } = {},
): Promise<number[][]> {
  const { count = 5, metric = 'spherical' } = options;
  const given = await checkRows('nearestRows', features, dimensions);
  checkLabels('nearestRows', given.count, labels, centroids.length / dimensions);
  const rows = changedRows(given, (piece) => prepareRows(piece, dimensions, metric));
  const nearest = Array.from({ length: centroids.length / dimensions }, (): { row: number; apart: number }[] => []);
  for await (const { from, piece } of piecesOf(rows)) {
    for (let i = 0; i < piece.length / dimensions; i++) {
      const label = labels[from + i]!;
      const apart = distance(piece, i, centroids, label, dimensions);
      const own = nearest[label]!;
      if (own.length >= count && !(apart < (own.at(-1)?.apart ?? 0))) continue;
      let place = own.length;
      while (place > 0 && own[place - 1]!.apart > apart) place--; // after equal ones, which came first
      own.splice(place, 0, { row: from + i, apart });
      if (own.length > count) own.pop();
    }
  }
  return nearest.map((own) => own.map(({ row }) => row));
}

/**
 * Mean over the rows of (b − a) / max(a, b): a is the mean distance to the row's own cluster without itself, b that to
 * the nearest other cluster (Rousseeuw 1987). A row alone in its cluster counts 0.
 */
function silhouette(rows: Float32Array, dimensions: number, labels: ArrayLike<number>, clusters: number): number {
  const sizes = sizesOf(labels, clusters);
  if (sizes.filter((size) => size > 0).length < 2) return Number.NaN;
  const count = labels.length;
  const toCluster = new Float64Array(count * clusters); // Σ of distances from a row to the rows of each cluster
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const between = distance(rows, i, rows, j, dimensions);
      toCluster[i * clusters + labels[j]!]! += between;
      toCluster[j * clusters + labels[i]!]! += between;
    }
  }
  let total = 0;
  for (let i = 0; i < count; i++) {
    const own = labels[i]!;
    if (sizes[own] === 1) continue;
    const a = toCluster[i * clusters + own]! / (sizes[own]! - 1);
    let b = Number.POSITIVE_INFINITY;
    for (let k = 0; k < clusters; k++) {
      if (k !== own && sizes[k]! > 0) b = Math.min(b, toCluster[i * clusters + k]! / sizes[k]!);
    }
    if (a !== b) total += (b - a) / Math.max(a, b);
  }
  return total / count;
}

/**
 * Mean over the clusters of the largest (s_i + s_j) / |m_i − m_j|: s is the mean distance of a cluster's rows to their
 * mean m (Davies & Bouldin 1979).
 */
async function daviesBouldin(rows: FeatureRows, labels: ArrayLike<number>, clusters: number): Promise<number> {
  const { dimensions } = rows;
  const means = await meansOf(rows, labels, clusters, 'euclidean');
  const sizes = sizesOf(labels, clusters);
  const spread = new Float64Array(clusters);
  for await (const { from, piece } of piecesOf(rows)) {
    for (let i = 0; i < piece.length / dimensions; i++) {
      const label = labels[from + i]!;
      spread[label]! += distance(piece, i, means, label, dimensions) / sizes[label]!;
    }
  }
  const some = sizes.flatMap((size, k) => (size > 0 ? [k] : []));
  if (some.length < 2) return Number.NaN;
  const worst = some.map((i) => {
    const ratios = some.map((j) => {
      const apart = distance(means, i, means, j, dimensions);
      return apart === 0 ? 0 : (spread[i]! + spread[j]!) / apart; // as in scikit-learn
    });
    return Math.max(...ratios);
  });
  return worst.reduce((sum, ratio) => sum + ratio, 0) / some.length;
}

/** Some of the rows [n, D] with their labels, or all. */
async function sampled(rows: FeatureRows, labels: ArrayLike<number>, count: number, seed: number) {
  if (labels.length <= count) return { rows: await allRows(rows), labels };
  const numbers = sampleNumbers(labels.length, count, draws(key(seed)));
  return { rows: await gatherRows(rows, numbers), labels: Array.from(numbers, (row) => labels[row]!) };
}

function checkLabels(tag: string, rows: number, labels: ArrayLike<number>, clusters = Number.POSITIVE_INFINITY): void {
  if (labels.length !== rows) {
    throw new ClusteringError(tag, `${labels.length} labels for ${rows} rows. Pass the cluster of each row.`);
  }
  for (let i = 0; i < rows; i++) {
    if (Number.isInteger(labels[i]) && labels[i]! >= 0 && labels[i]! < clusters) continue;
    throw new ClusteringError(tag, `row ${i} is in cluster ${labels[i]}, which is none. Pass the cluster of each row.`);
  }
}
