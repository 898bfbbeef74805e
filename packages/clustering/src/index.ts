/** From pictures to clusters: features → centroids → partition manifest. */
export type { Encoder, EncoderParameters, ImageBatch } from './encoder/encoder.js';
export { type StatisticsOptions, statisticsEncoder } from './encoder/statistics.js';
export { ClusteringError } from './errors.js';
export { type KMeansOptions, type KMeansResult, kMeans } from './kmeans/kmeans.js';
export type { Metric } from './kmeans/nearest.js';
export type { Seeding } from './kmeans/seeding.js';
export {
  type Information,
  type InformationControl,
  mutualInformation,
  randomPartitionControl,
} from './measures/information.js';
export { readPartition, writePartition } from './partition/files.js';
export { assign, encoderOf, partitionImages } from './partition/make.js';
export type { Partition, PartitionManifest } from './partition/partition.js';
