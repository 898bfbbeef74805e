// New clusters for a partition that experts were trained on already: no centroid that was there moves.
import { type Device, key } from '@paris/tensor';
import { meansOf } from '../balance/balanced.js';
import { draws, drawWeighted } from '../draws.js';
import { encodedRows, type FeatureKeeper } from '../encoder/encode.js';
import type { Encoder, ImageBatch, ImageStream } from '../encoder/encoder.js';
import { ClusteringError } from '../errors.js';
import { changedRows, type FeatureRows, gatherRows, piecesOf } from '../feature-rows.js';
import { sizesOf } from '../kmeans/kmeans.js';
import { nearestCentroids, prepareRows } from '../kmeans/nearest.js';
import { type PartitionedImages, requireSame } from './make.js';
import type { Partition } from './partition.js';

/** How many clusters are added, and how they are looked for. */
export interface GrowOptions {
  /**
   * So many clusters, of the pictures that are nearer to them than to any centroid that was there. `all`: the pictures are one
   * new cluster, wherever they lie.
   */
  readonly add: number | 'all';
  /** Default 0. */
  readonly seed?: number | undefined;
  /** How often to start again; the lowest inertia is kept. Default 3. */
  readonly restarts?: number;
  /** Iterations of each. Default 100. */
  readonly maxIterations?: number;
  /** Where the features are kept meanwhile. Default: in memory. */
  readonly keep?: FeatureKeeper;
}

/**
 * A partition with further clusters at its end, and the cluster of each picture. With a number, k-means in which the old centroids
 * stand still: the new ones start as k-means++ draws (Arthur & Vassilvitskii 2007) after the old ones, so with the pictures that are
 * far from all of them, and are then the means of the pictures that are nearest to them.
 * @param encoder - the one the partition was made with
 * @throws ClusteringError for another encoder, another assignment than 'nearest-centroid', or if no picture is left for a new
 *   cluster
 */
export async function growPartition(
  device: Device,
  encoder: Encoder,
  partition: Partition,
  images: ImageBatch | ImageStream,
  options: GrowOptions,
): Promise<PartitionedImages> {
  requireSame(encoder, partition.encoder);
  const { assignment, metric, centroids: old, clusters: known } = partition;
  if (assignment !== 'nearest-centroid') {
    const what = `a partition whose pictures are assigned by '${assignment}' cannot grow`;
    throw new ClusteringError('growPartition', `${what}. Partition all pictures again, by 'nearest-centroid'.`);
  }
  const { add } = options;
  if (add !== 'all' && !(Number.isInteger(add) && add >= 1)) {
    throw new ClusteringError('growPartition', `add is ${add}. Give a whole number from 1 on, or 'all'.`);
  }
  const { dimensions } = encoder;
  const features = await encodedRows(encoder, images, options.keep);
  const rows = changedRows(features, (piece) => prepareRows(piece, dimensions, metric));
  const found =
    add === 'all'
      ? await wholeCluster(rows, partition)
      : await bestNewClusters({ device, rows, partition, add }, options);
  const { labels, centroids, restarts, restart, iterations, inertia } = found;
  const clusters = known + (add === 'all' ? 1 : add);
  const sizes = sizesOf(labels, clusters).slice(known);
  if (sizes.some((size) => size === 0)) {
    const what = `no picture is left for ${add === 1 ? 'a new cluster' : `${add} new clusters`}`;
    throw new ClusteringError('growPartition', `${what}: all are near old centroids. Add fewer, or 'all'.`);
  }
  const stage = { method: 'k-means', of: 'pictures', clusters: clusters - known, seeding: 'k-means++' } as const;
  const grown: Partition = {
    ...partition,
    clusters,
    stages: [...partition.stages, { ...stage, restarts, restart, iterations, inertia }],
    sizes: [...partition.sizes, ...sizes],
    centroids: Float32Array.from([...old, ...centroids.subarray(old.length)]),
  };
  return { partition: grown, labels, features };
}

/** What a search ends with: all centroids, the old ones first. */
interface Found {
  labels: Uint32Array;
  centroids: Float32Array;
  inertia: number;
  iterations: number;
  restarts: number;
  restart: number;
}

async function wholeCluster(rows: FeatureRows, { clusters, centroids: old, metric }: Partition): Promise<Found> {
  const { count, dimensions } = rows;
  const labels = new Uint32Array(count).fill(clusters);
  const centroids = await meansOf(rows, labels, clusters + 1, metric);
  centroids.set(old);
  const own = centroids.subarray(old.length);
  let inertia = 0;
  for await (const { piece } of piecesOf(rows)) {
    inertia = piece.reduce((sum, value, i) => sum + (value - own[i % dimensions]!) ** 2, inertia);
  }
  return { labels, centroids, inertia, iterations: 1, restarts: 1, restart: 0 };
}

interface Search {
  device: Device;
  rows: FeatureRows;
  partition: Partition;
  add: number;
}

async function bestNewClusters(search: Search, { seed = 0, restarts = 3, maxIterations = 100 }: GrowOptions) {
  let best: Found | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const start = await seeded(search, draws(key(seed).foldIn(restart)));
    const found = await settled(search, start, maxIterations);
    if (!best || found.inertia < best.inertia) best = { ...found, restarts, restart };
  }
  return best!;
}

/** The old centroids, and rows that are far from all that came before. */
async function seeded({ device, rows, partition, add }: Search, next: () => number): Promise<Float32Array> {
  let centroids = partition.centroids;
  for (let k = 0; k < add; k++) {
    const { distances } = await nearestCentroids(device, rows, centroids);
    const chosen = Math.max(0, drawWeighted(distances, next));
    const row = await gatherRows(rows, Uint32Array.of(chosen));
    centroids = Float32Array.from([...centroids, ...row]);
  }
  return centroids;
}

/** Lloyd's iterations of the new centroids, until no picture changes its cluster. */
async function settled({ device, rows, partition, add }: Search, start: Float32Array, most: number) {
  const { clusters: known, metric, centroids: old } = partition;
  const { dimensions } = rows;
  let centroids = start;
  let placed = await nearestCentroids(device, rows, centroids);
  let iterations = 0;
  for (let changed = true; changed && iterations < most; iterations++) {
    const means = await meansOf(rows, placed.labels, known + add, metric);
    const sizes = sizesOf(placed.labels, known + add);
    for (let k = known; k < known + add; k++) {
      if (sizes[k] === 0) means.set(centroids.subarray(k * dimensions, (k + 1) * dimensions), k * dimensions);
    }
    means.set(old);
    centroids = means;
    const next = await nearestCentroids(device, rows, centroids);
    changed = next.labels.some((label, i) => label !== placed.labels[i]);
    placed = next;
  }
  const inertia = placed.distances.reduce((sum, distance) => sum + distance, 0);
  return { labels: placed.labels, centroids, inertia, iterations };
}
