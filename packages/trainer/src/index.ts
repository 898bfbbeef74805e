// @paris/trainer: from a data folder to a model, over any FileStore: it runs in a browser tab too. Images and
// CSV files are in @paris/trainer/node; the `paris` command and its processes are in @paris/cli.

export { type AssembleOptions, assemble } from './assemble/assemble.js';
export {
  assertPresent,
  isPicked,
  type Sightings,
  type Withdrawn,
  type WithdrawOptions,
  whoSaw,
  withdrawExperts,
} from './assemble/withdraw.js';
export {
  createJobBundle,
  type Job,
  type JobOptions,
  type OpenedJob,
  openJob,
  type TrainJobOptions,
  trainJob,
} from './bundle/job.js';
export { createKeys, type Keys, publicKeyOf } from './bundle/keys.js';
export {
  acceptResult,
  assertAnswers,
  createResultBundle,
  type OpenedResult,
  openResult,
} from './bundle/result.js';
export { mostBundleBytes } from './bundle/sealed.js';
export { parseTrustList, type TrustList } from './bundle/trust.js';
export { assembledCard, CARD_FILE, type CardIndex, type CardOptions, modelCard } from './card/card.js';
export { readCardCondition } from './card/condition.js';
export { type CardEvaluation, readCardEvaluation } from './card/evaluation.js';
export { CODEC_REPORT, type CodecReport, type MakeCodecOptions, makeCodec, readCodecReport } from './codec/codec.js';
export { type CodecSize, codecConfig, type TrainCodecOptions, trainCodec } from './codec/train-codec.js';
export { type BatchDraw, BatchDrawer, type BatchSpec, initKey, runKey } from './data/batches.js';
export { type ColumnArrays, columnOf, columnsOf, type DataColumns } from './data/columns.js';
export type { Encodings, LatentFormat, PartRecord, TextFormat } from './data/encodings.js';
export {
  clusterFolder,
  heldOutCount,
  type LabelledFolder,
  type Labels,
  manifestItems,
  openManifestFolder,
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
  ColumnDType,
  ColumnFormat,
  DataFormat,
  DataItem,
  Described,
  FormatVersion,
  ItemOf,
  LabelledItem,
  LabelledManifest,
  Manifest,
  ManifestItem,
  Normalization,
  Sharded,
  ShardFile,
} from './data/formats.js';
export { type Items, itemsOf, listItems, pickItems } from './data/items.js';
export { type LostAtStep, type LostShard, lostCount } from './data/lost.js';
export type { Unwritten } from './data/records.js';
export { gatherRows, type Rows, rowsOf, spread } from './data/rows.js';
export type { WriteOptions } from './data/shards.js';
export { type DistilOptions, distil } from './distil/distil.js';
export { type TrainStudentOptions, trainStudent } from './distil/student.js';
export type { TeachingOptions } from './distil/teacher.js';
export { type CaptionEncoder, type CaptionFeatures, captionEncoder } from './encode/captions.js';
export { type LatentEncoder, latentEncoder } from './encode/latents.js';
export {
  type LoadedPart,
  loadCodec,
  loadTextEncoder,
  type PartArchitectures,
  type PartFolder,
  partRecord,
} from './encode/parts.js';
export { DataError, DivergedError, InterruptedError, OutputError, RunError } from './errors.js';
export type { ConditionAccuracy } from './evaluate/condition.js';
export { type Control, checkControls } from './evaluate/controls.js';
export type { PictureCost } from './evaluate/cost.js';
export type { DistanceIntervals, PictureDistances } from './evaluate/distances.js';
export { type Architectures, type EvaluateOptions, evaluate } from './evaluate/evaluate.js';
export type { Estimate, Evaluation, RouterScore, SemanticsResult } from './evaluate/evaluation.js';
export type { Interval } from './evaluate/intervals.js';
export {
  type EvaluatePicturesOptions,
  evaluatePictures,
  type PicturePair,
  type PicturesEvaluation,
} from './evaluate/pictures.js';
export { formatPictures } from './evaluate/pictures-table.js';
export { type Subjects, subjectsOf } from './evaluate/subjects.js';
export { formatEvaluation } from './evaluate/table.js';
export { type PaperFigures, type PaperRow, paperRows } from './experiment/cost.js';
export type { Arm, Claim, Clustering, Design, Measuring, Published, RouterPlan, Variant } from './experiment/design.js';
export { type DesignChange, experimentDesign } from './experiment/designs/designs.js';
export { type ExperimentName, experimentNames } from './experiment/designs/names.js';
export type { Measured, Values } from './experiment/measure-variant.js';
export {
  type ClaimResult,
  type ExperimentResults,
  metricDirections,
  type OverSeeds,
  type ResultRow,
  type Verdict,
} from './experiment/results.js';
export { type ExperimentOptions, runExperiment } from './experiment/run.js';
export { writeShapes } from './experiment/shapes.js';
export type { SizeName } from './experiment/sizes.js';
export { type PieceTime, readTimes } from './experiment/times.js';
export { assertApart, type Place } from './output/apart.js';
export type { OutputKind } from './output/claim.js';
export { dataFolder } from './output/kinds.js';
export { recoverOutput } from './output/replace.js';
export { drawOutOfCluster } from './partition/out-of-cluster.js';
export {
  type PartitionOptions,
  partitionData,
  partitionIn,
  type SweepOptions,
  sweepPartitions,
} from './partition/partition.js';
export { formatPartition, formatSweep, type PartitionReport } from './partition/report.js';
export { type HandOverOptions, handOverClusters } from './prepare/hand-over.js';
export { type Joined, type JoinOptions, joinData } from './prepare/join.js';
export { type MergeOptions, mergeData } from './prepare/merge.js';
export type { PictureSource, SkippedPicture, SourcePicture } from './prepare/picture-source.js';
export { cutCaptions, type PreparePicturesOptions, preparePictures } from './prepare/prepare.js';
export type { RecordEncoders } from './prepare/record-rows.js';
export { heldOutGroups } from './prepare/split.js';
export { type Chain, type ChainClaim, readChain, statePath, stateProof } from './run/chain.js';
export type { SavedCheckpoint } from './run/checkpoint.js';
export type { Companions } from './run/claim.js';
export { defaultMaxLost } from './run/default-max-lost.js';
export type { OnTrainEvent, StepMetrics, TrainEvent } from './run/events.js';
export { type RunHistory, readHistory, type SampleLine, type ValidationLine } from './run/history.js';
export type { StepLine } from './run/lines.js';
export type { LogLine, Machine } from './run/log.js';
export { merkleRoot, rootByPath } from './run/merkle.js';
export { readMetrics } from './run/metrics.js';
export { CODEC_RUN, expertRunName, ROUTER_RUN, STUDENT_RUN, TUNING_FILE } from './run/names.js';
export type { Observed, Observer } from './run/observer.js';
export type { Saving } from './run/progress.js';
export type { Proving } from './run/prover.js';
export { type Json, type RunCheckpoint, type RunIdentity, type RunRecord, readRun } from './run/record.js';
export { type FurtherWeights, type RunOptions, runTraining, type TrainingJob } from './run/run.js';
export type { StopOptions } from './run/stopping.js';
export { type ConditionName, conditionNames } from './train/condition-names.js';
export type { ConditionKind, ConditionSizes } from './train/conditions.js';
export { ditConfig, routerConfig } from './train/configs.js';
export { defaultObjective, defaultSize, type TransformerSize } from './train/defaults.js';
export { type ConfigFor, type TrainExpertOptions, trainExpert } from './train/expert.js';
export type { InitialWeights } from './train/initial.js';
export { type LossWeight, minSnr, parseLossWeight, unweighted, velocityError } from './train/loss-weight.js';
export {
  type LearningRateSchedule,
  learningRateSchedules,
  precisions,
  type TrainingOptions,
  trainingDefaults,
  trainingOptions,
} from './train/options.js';
export { profileTable, profileTraining, traceEvents } from './train/profile.js';
export type { Batch, BatchNoise, HostBatch, HostTensor, Learning, Recipe } from './train/recipe.js';
export type { Named } from './train/recorded.js';
export {
  type RouterPrior,
  type RouterStart,
  type TrainRouterOptions,
  trainRouter,
} from './train/router.js';
export type { SampleOptions } from './train/samples.js';
export {
  logitNormalDensity,
  parseTimeDensity,
  type TimeDensity,
  uniformDensity,
} from './train/time-density.js';
export { type RunControls, type TrainControls, train } from './train/train.js';
export type { ValidationOptions } from './train/validation.js';
export { drawSegments } from './verify/draw.js';
export type { ExpectedEffect, TrainingEffect } from './verify/effect.js';
export type { GateOptions, GateReport } from './verify/gate.js';
export { oddsOf, segmentsFor, type Wanted } from './verify/odds.js';
export type { Segment } from './verify/replay.js';
export { type Verification, type VerifyOptions, verifyRun } from './verify/verify.js';
export { version } from './version.js';
