/** From pictures to clusters: features → centroids → partition manifest. */
export { auctionAssignment, equalCapacities } from './balance/auction.js';
export { balancedKMeans } from './balance/balanced.js';
export { type ClippedCoverage, type ClippedShares, clippedCoverage, clippedShares } from './compare/clipped.js';
export { type CopyingTest, copyingTest, type Nearest } from './compare/copying.js';
export { type Coverage, type CoverageShares, coverageOf, coverageShares } from './compare/coverage.js';
export { frechetDistance } from './compare/frechet-distance.js';
export { type DistanceEstimate, kernelDistance } from './compare/kernel-distance.js';
export { type Classifier, ridgeClassifier } from './compare/ridge-classifier.js';
export type { RowPair } from './compare/rows.js';
export { type SlicedOptions, slicedWasserstein } from './compare/sliced-wasserstein.js';
export { encodeBatches, encodeImages, type FeatureKeeper, keepInMemory } from './encoder/encode.js';
export type { Encoder, EncoderParameters, ImageBatch, ImageStream } from './encoder/encoder.js';
export { type StatisticsOptions, statisticsEncoder } from './encoder/statistics.js';
export { ClusteringError } from './errors.js';
export { type FeatureRows, type Features, featureRows } from './feature-rows.js';
export { type KMeansOptions, type KMeansResult, kMeans } from './kmeans/kmeans.js';
export { kMeansMiniBatch, type MiniBatchOptions, type RowSource } from './kmeans/mini-batch.js';
export type { Metric } from './kmeans/nearest.js';
export type { Seeding } from './kmeans/seeding.js';
export { type TwoStageOptions, type TwoStageResult, twoStageKMeans } from './kmeans/two-stage.js';
export {
  type Information,
  type InformationControl,
  mutualInformation,
  randomPartitionControl,
} from './measures/information.js';
export { type ClusterQuality, clusterQuality, nearestRows, type QualityOptions } from './measures/quality.js';
export { type SweepRow, sweepClusters } from './measures/sweep.js';
export { readPartition, writePartition } from './partition/files.js';
export { type GrowOptions, growPartition } from './partition/grow.js';
export {
  assign,
  assignImages,
  type ClusteringOptions,
  encoderOf,
  type PartitionedImages,
  partitionImages,
} from './partition/make.js';
export type { Assignment, Partition, PartitionManifest, PartitionStage } from './partition/partition.js';
