// @paris/trainer: from a data folder to a model, over any FileStore: it runs in a browser tab too. Images and
// CSV files are in @paris/trainer/node; the `paris` command and its processes are in @paris/cli.

export { type AssembleOptions, assemble } from './assemble/assemble.js';
export { type BatchDraw, BatchDrawer, type BatchSpec, initKey, runKey } from './data/batches.js';
export {
  clusterFolder,
  type LabelledFolder,
  type Labels,
  readCluster,
  readLabelled,
  readManifest,
  readManifestFolder,
  type TrainingData,
  writeManifestFolder,
} from './data/files.js';
export type {
  ClusterItem,
  ClusterManifest,
  DataFormat,
  DataItem,
  LabelledManifest,
  Manifest,
  Normalization,
} from './data/formats.js';
export { gatherRows, type Pictures, type Rows, rowsOf } from './data/rows.js';
export { DataError, DivergedError, InterruptedError, OutputError, RunError } from './errors.js';
export { type Control, checkControls } from './evaluate/controls.js';
export { type Architectures, type EvaluateOptions, evaluate } from './evaluate/evaluate.js';
export type { Estimate, Evaluation, RouterScore, SemanticsResult } from './evaluate/evaluation.js';
export { formatEvaluation } from './evaluate/table.js';
export { assertApart, type Place } from './output/apart.js';
export type { OutputKind } from './output/claim.js';
export { dataFolder } from './output/kinds.js';
export { drawOutOfCluster } from './partition/out-of-cluster.js';
export { type PartitionOptions, partitionData, type SweepOptions, sweepPartitions } from './partition/partition.js';
export { formatPartition, formatSweep, type PartitionReport } from './partition/report.js';
export { type PreparePicturesOptions, preparePictures } from './prepare/prepare.js';
export type { PictureSource, SkippedPicture, SourcePicture } from './prepare/source.js';
export { heldOutGroups } from './prepare/split.js';
export { type Companions, TUNING_FILE } from './run/claim.js';
export type { OnTrainEvent, StepMetrics, TrainEvent } from './run/events.js';
export { readMetrics } from './run/metrics.js';
export { type Json, type RunIdentity, type RunRecord, readRun } from './run/record.js';
export { type RunOptions, runTraining, type TrainingJob } from './run/run.js';
export { defaultObjective, defaultSize, ditConfig, routerConfig, type TransformerSize } from './train/configs.js';
export { type ConfigFor, expertRunName, type TrainExpertOptions, trainExpert } from './train/expert.js';
export type { InitialWeights } from './train/initial.js';
export { type LossWeight, minSnr, parseLossWeight, unweighted } from './train/loss-weight.js';
export { precisions, type TrainingOptions, trainingDefaults, trainingOptions } from './train/options.js';
export { profileTable, profileTraining, traceEvents } from './train/profile.js';
export type { Batch, HostBatch, HostTensor, Learning, Recipe } from './train/recipe.js';
export { ROUTER_RUN, type RouterPrior, type TrainRouterOptions, trainRouter } from './train/router.js';
export {
  logitNormalDensity,
  parseTimeDensity,
  type TimeDensity,
  uniformDensity,
} from './train/time-density.js';
export { type RunControls, type TrainControls, train } from './train/train.js';
export { version } from './version.js';
