// Pictures → a partition, and a new picture → its cluster.
import { checkName } from '@paris/files';
import type { Device } from '@paris/tensor';
import { balancedKMeans, meansOf } from '../balance/balanced.js';
import { encodeBatches, encodedRows, type FeatureKeeper } from '../encoder/encode.js';
import type { Encoder, ImageBatch, ImageStream } from '../encoder/encoder.js';
import { type StatisticsOptions, statisticsEncoder } from '../encoder/statistics.js';
import { ClusteringError } from '../errors.js';
import { changedRows, type FeatureRows, featureRows } from '../feature-rows.js';
import { checkProblem } from '../kmeans/check.js';
import { type KMeansOptions, type KMeansResult, kMeans, sizesOf } from '../kmeans/kmeans.js';
import { nearestCentroids, prepareRows } from '../kmeans/nearest.js';
import { twoStageKMeans } from '../kmeans/two-stage.js';
import {
  type Assignment,
  assignments,
  type Partition,
  type PartitionManifest,
  type PartitionStage,
} from './partition.js';
import { randomClusters } from './random.js';

/** How pictures become K clusters, and how a new picture gets its cluster. */
export interface ClusteringOptions extends Omit<KMeansOptions, 'initial'> {
  /** 1: k-means of the pictures. 2: to fine centroids, and these to K coarse ones. Default 1; 2 where `fine` is given. */
  readonly stages?: 1 | 2;
  /** Fine centroids of two stages; see `TwoStageOptions`. */
  readonly fine?: number;
  /** Default 'nearest-centroid'. 'fine-to-coarse' needs two stages; 'random' looks at no features. */
  readonly assignment?: Assignment;
  /** 'auction': the last stage makes clusters of equal size. Pictures are assigned without it. Default 'none'. */
  readonly balance?: 'none' | 'auction';
  /** Where the features are kept while pictures are clustered. Default: in memory. */
  readonly keep?: FeatureKeeper;
}

/** What {@link partitionImages} gives. */
export interface PartitionedImages {
  readonly partition: Partition;
  /** The cluster of each picture [N]: what {@link assign} gives for the same pictures. */
  readonly labels: Uint32Array;
  /** [N, D], as the encoder gave them: `features.values` where they are in memory. */
  readonly features: FeatureRows;
}

/**
 * Encodes the pictures, clusters the features and describes the result.
 * @throws ClusteringError as {@link kMeans} does; for options that are none, or exclude each other
 */
export async function partitionImages(
  device: Device,
  encoder: Encoder,
  images: ImageBatch | ImageStream,
  options: ClusteringOptions,
): Promise<PartitionedImages> {
  checkChoices(options);
  const features = await encodedRows(encoder, images, options.keep);
  const { name, dimensions, parameters } = encoder;
  const { clusters, metric = 'spherical', seed = 0, assignment = 'nearest-centroid', balance = 'none' } = options;
  const known = { encoder: { name, dimensions, parameters }, clusters, metric, seed, assignment, balance };
  if (assignment === 'random') {
    await checkProblem('partitionImages', features, dimensions, options);
    const labels = await randomClusters(images, clusters, seed);
    const rows = changedRows(features, (piece) => prepareRows(piece, dimensions, metric));
    const centroids = await meansOf(rows, labels, clusters, metric);
    const partition = { version: 2, ...known, stages: [], sizes: sizesOf(labels, clusters), centroids } as const;
    return { partition, labels, features };
  }
  const found = await clusterFeatures(device, features, { ...options, metric, seed });
  const labels = await place(device, features, { ...known, ...found });
  return { partition: { version: 2, ...known, sizes: sizesOf(labels, clusters), ...found }, labels, features };
}

/**
 * The cluster of each picture [N], by the rule that the partition records. In memory are the features of one batch of a stream.
 * @param encoder - the one the partition was made with, see {@link encoderOf}
 * @throws ClusteringError if it is another one
 */
export async function assign(
  device: Device,
  encoder: Encoder,
  partition: Partition,
  images: ImageBatch | ImageStream,
): Promise<Uint32Array> {
  requireSame(encoder, partition.encoder);
  if (partition.assignment === 'random') return await randomClusters(images, partition.clusters, partition.seed);
  const labels = new Uint32Array(images.count);
  let placed = 0;
  for await (const features of encodeBatches(encoder, images)) {
    const own = await place(device, featureRows(features, encoder.dimensions), partition);
    labels.set(own, placed);
    placed += own.length;
  }
  return labels;
}

/**
 * New pictures in the clusters of a partition that was made of others: what {@link assign} gives, with the features.
 * @param encoder - the one the partition was made with, see {@link encoderOf}
 * @param keep - where the features are kept. Default: in memory
 * @throws ClusteringError if it is another one
 */
export async function assignImages(
  device: Device,
  encoder: Encoder,
  partition: Partition,
  images: ImageBatch | ImageStream,
  keep?: FeatureKeeper,
): Promise<PartitionedImages> {
  requireSame(encoder, partition.encoder);
  const features = await encodedRows(encoder, images, keep);
  const random = partition.assignment === 'random';
  const labels = random
    ? await randomClusters(images, partition.clusters, partition.seed)
    : await place(device, features, partition);
  return { partition, labels, features };
}

/**
 * The encoder that a partition was made with: the built-in one with the recorded parameters, or the one among `custom`
 * with that name.
 * @throws ClusteringError for an unknown name
 */
export function encoderOf(partition: PartitionManifest, custom: readonly Encoder[] = []): Encoder {
  const { name, parameters } = partition.encoder;
  const own = custom.find((encoder) => encoder.name === name);
  if (own) return own;
  if (name === 'statistics') return statisticsEncoder(parameters as Partial<StatisticsOptions>);
  const known = ['statistics', ...custom.map((encoder) => encoder.name)].map((known) => `"${known}"`).join(', ');
  throw new ClusteringError('encoderOf', `no encoder is called "${name}". Known: ${known}. Pass yours as custom.`);
}

type Found = Pick<Partition, 'centroids' | 'fine' | 'stages'>;

/** The centroids, by one stage or two, and how they were made. */
async function clusterFeatures(device: Device, features: FeatureRows, options: ClusteringOptions): Promise<Found> {
  const { dimensions } = features;
  const { stages = options.fine === undefined ? 1 : 2, assignment, balance, seeding = 'k-means++' } = options;
  const { restarts = 3 } = options;
  const last = balance === 'auction' ? 'balanced-k-means' : 'k-means';
  const stage = (method: PartitionStage['method'], of: PartitionStage['of'], run: KMeansResult, times: number) => {
    const { sizes, restart, iterations, inertia } = run;
    return { method, of, clusters: sizes.length, seeding, restarts: times, restart, iterations, inertia };
  };
  if (stages === 1) {
    const run = balance === 'auction' ? balancedKMeans : kMeans;
    const found = await run(device, features, dimensions, options);
    return { centroids: found.centroids, stages: [stage(last, 'pictures', found, restarts)] };
  }
  const { fine, coarse } = await twoStageKMeans(device, features, dimensions, options);
  return {
    centroids: coarse.centroids,
    ...(assignment === 'fine-to-coarse' ? { fine: { centroids: fine.centroids, clusters: coarse.labels } } : {}),
    stages: [stage('k-means', 'pictures', fine, 1), stage(last, 'fine-centroids', coarse, restarts)],
  };
}

/** Features [N, D] → clusters [N]: the same code for training pictures and for new ones. */
async function place(
  device: Device,
  features: FeatureRows,
  { metric, centroids, fine }: Pick<Partition, 'metric' | 'centroids' | 'fine'>,
): Promise<Uint32Array> {
  const { labels } = await nearestCentroids(device, features, fine?.centroids ?? centroids, metric);
  return fine ? labels.map((label) => fine.clusters[label]!) : labels;
}

/** @throws ClusteringError if the encoder is not the one that a partition was made with */
export function requireSame(encoder: Encoder, made: PartitionManifest['encoder']): void {
  if (encoder.name !== made.name || encoder.dimensions !== made.dimensions) {
    const got = `"${encoder.name}" of ${encoder.dimensions} dimensions`;
    const wanted = `"${made.name}" of ${made.dimensions}`;
    throw new ClusteringError('assign', `the encoder is ${got}, the partition was made with ${wanted}. Pass that one.`);
  }
  const names = new Set([...Object.keys(encoder.parameters), ...Object.keys(made.parameters)]);
  for (const name of names) {
    const [got, wanted] = [encoder.parameters[name], made.parameters[name]];
    if (got === wanted) continue;
    const what = `the encoder "${made.name}" has ${name} ${got}, the partition was made with ${wanted}`;
    throw new ClusteringError('assign', `${what}. Pass that one.`);
  }
}

function checkChoices({ stages, fine, assignment, balance = 'none', clusters }: ClusteringOptions): void {
  const tag = 'partitionImages';
  checkName(tag, 'balance', balance, ['none', 'auction'], ClusteringError);
  if (assignment !== undefined) checkName(tag, 'assignment', assignment, assignments, ClusteringError);
  if (stages !== undefined && stages !== 1 && stages !== 2) {
    throw new ClusteringError(tag, `stages is ${stages}. Give 1 or 2.`);
  }
  const two = stages === 2 || (stages === undefined && fine !== undefined);
  if (stages === 1 && fine !== undefined) {
    throw new ClusteringError(tag, `one stage has no fine centroids, got fine ${fine}. Set stages to 2.`);
  }
  if (assignment === 'fine-to-coarse' && !two) {
    throw new ClusteringError(tag, `'fine-to-coarse' needs fine centroids. Set stages to 2.`);
  }
  if (assignment === 'random' && (two || balance !== 'none')) {
    const made = two ? 'two stages' : `balance '${balance}'`;
    throw new ClusteringError(tag, `a random partition into ${clusters} has no ${made}. Leave that out.`);
  }
}
