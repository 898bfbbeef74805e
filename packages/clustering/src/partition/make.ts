/** Pictures → a partition, and a new picture → its cluster. */
import type { Device } from '@paris/tensor';
import type { Encoder, ImageBatch } from '../encoder/encoder.js';
import { type StatisticsOptions, statisticsEncoder } from '../encoder/statistics.js';
import { ClusteringError } from '../errors.js';
import { type KMeansOptions, kMeans } from '../kmeans/kmeans.js';
import { nearestCentroids, prepareRows } from '../kmeans/nearest.js';
import type { Partition, PartitionManifest } from './partition.js';

/**
 * Encodes the pictures, clusters the features and describes the result.
 * @returns the partition, and the cluster of each picture [N]: what {@link assign} gives for the same pictures
 * @throws ClusteringError as `kMeans` does
 */
export async function partitionImages(
  device: Device,
  encoder: Encoder,
  images: ImageBatch,
  options: KMeansOptions,
): Promise<{ partition: Partition; labels: Uint32Array }> {
  const { metric = 'spherical', restarts = 3, seed = 0 } = options;
  const features = await encode(encoder, images);
  const found = await kMeans(device, features, encoder.dimensions, { ...options, metric, restarts, seed });
  const { centroids, labels, sizes, restart, iterations, inertia } = found;
  const { name, dimensions, parameters } = encoder;
  const partition: Partition = {
    version: 1,
    clusters: options.clusters,
    encoder: { name, dimensions, parameters },
    metric,
    assignment: 'nearest-centroid',
    seed,
    kMeans: { restarts, restart, iterations, inertia },
    sizes,
    centroids,
  };
  return { partition, labels };
}

/**
 * The cluster of each picture, [N]: its nearest centroid.
 * @param encoder - the one the partition was made with, see {@link encoderOf}
 * @throws ClusteringError if it is another one
 */
export async function assign(
  device: Device,
  encoder: Encoder,
  partition: Partition,
  images: ImageBatch,
): Promise<Uint32Array> {
  const made = partition.encoder;
  if (encoder.name !== made.name || encoder.dimensions !== made.dimensions) {
    const got = `"${encoder.name}" of ${encoder.dimensions} dimensions`;
    const wanted = `"${made.name}" of ${made.dimensions}`;
    throw new ClusteringError('assign', `the encoder is ${got}, the partition was made with ${wanted}. Pass that one.`);
  }
  const rows = prepareRows(await encode(encoder, images), encoder.dimensions, partition.metric);
  return (await nearestCentroids(device, rows, partition.centroids, encoder.dimensions)).labels;
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

async function encode(encoder: Encoder, images: ImageBatch): Promise<Float32Array> {
  const features = await encoder.encode(images);
  if (features.length === images.count * encoder.dimensions) return features;
  const wanted = `${images.count} × ${encoder.dimensions}`;
  throw new ClusteringError('encode', `the encoder "${encoder.name}" gave ${features.length} numbers, not ${wanted}.`);
}
