/** From pictures to clusters: features → centroids → partition manifest. */
export { auctionAssignment, equalCapacities } from './balance/auction.js';
export { balancedKMeans } from './balance/balanced.js';
export type { Encoder, EncoderParameters, ImageBatch } from './encoder/encoder.js';
export { type StatisticsOptions, statisticsEncoder } from './encoder/statistics.js';
export { ClusteringError } from './errors.js';
export { type KMeansOptions, type KMeansResult, kMeans } from './kmeans/kmeans.js';
export { kMeansMiniBatch, type MiniBatchOptions, type RowSource } from './kmeans/miniBatch.js';
export type { Metric } from './kmeans/nearest.js';
export type { Seeding } from './kmeans/seeding.js';
export { type TwoStageOptions, type TwoStageResult, twoStageKMeans } from './kmeans/twoStage.js';
export {
  type Information,
  type InformationControl,
  mutualInformation,
  randomPartitionControl,
} from './measures/information.js';
export { type ClusterQuality, clusterQuality, nearestRows, type QualityOptions } from './measures/quality.js';
export { type SweepRow, sweepClusters } from './measures/sweep.js';
export { readPartition, writePartition } from './partition/files.js';
export {
  assign,
  type ClusteringOptions,
  encoderOf,
  type PartitionedImages,
  partitionImages,
} from './partition/make.js';
export type { Assignment, Partition, PartitionManifest, PartitionStage } from './partition/partition.js';
