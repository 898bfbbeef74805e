// One expert, from its own cluster's folder and nothing else.

import { type FileSource, onlyFolder } from '@paris/files';
import { type Architecture, type Expert, type NoisePath, noisePath, type Params, toFlat, toTree } from '@paris/model';
import { type Key, key, type TensorKey } from '@paris/tensor';
import { type BatchDraw, BatchDrawer, initKey, runKey } from '../data/batches.js';
import { assertCluster, clusterFolder, readCluster, type TrainingData } from '../data/files.js';
import { type ClusterManifest, type DataFormat, networkInput } from '../data/formats.js';
import type { Rows } from '../data/rows.js';
import { assertRunApart } from '../output/apart.js';
import { expertRunName } from '../run/names.js';
import type { Observer } from '../run/observer.js';
import type { Json, RunIdentity, RunRecord } from '../run/record.js';
import { companionsOf } from './companions.js';
import type { ConditionName } from './condition-names.js';
import {
  type ConditionSizes,
  type ConditionSource,
  conditionKind,
  conditionOf,
  conditionSource,
  kindInConfig,
  sizesOf,
} from './conditions.js';
import { type InitialWeights, readInitialWeights } from './initial.js';
import { type LossWeight, unweighted } from './loss-weight.js';
import { denoisingLoss, noised, noisingBatch, perPicture } from './noising.js';
import { checkConditionDropout, recordedOptions, type TrainingOptions, trainingOptions } from './options.js';
import type { Recipe } from './recipe.js';
import { type SampleOptions, samplesObserver } from './samples.js';
import { assertTakes } from './takes.js';
import { type TimeDensity, uniformDensity } from './time-density.js';
import { type TrainControls, train } from './train.js';
import { type HeldOut, validationObserver } from './validation.js';

/** Which expert is trained, on what, towards what. */
export interface TrainExpertOptions extends TrainControls {
  /** The data folder. Only `clusters/NN` of it is opened; the rest need not be there. */
  data: FileSource;
  cluster: number;
  /** `dit`, or your own from `defineArchitecture`. */
  architecture: Architecture<Expert>;
  /**
   * The architecture's config.json, given the format of the data (size, channels, vocabulary). It says what is
   * predicted on which path, too: an expert's `objective`.
   */
  config: ConfigFor;
  /**
   * What the expert is given with its pictures. Default: the kind of `condition` in its config, and words where its config has
   * none.
   */
  condition?: ConditionName | undefined;
  training?: Partial<TrainingOptions>;
  /**
   * Probability of training on a picture without its caption, for classifier-free guidance (arXiv 2207.12598,
   * Algorithm 1). Default 0.1.
   */
  conditionDropout?: number;
  /** How often each noise level is trained on. Default `uniformDensity`. */
  times?: TimeDensity;
  /** How much each noise level counts. Default `unweighted`. */
  lossWeight?: LossWeight;
  /** Noise paths in addition to the built-in ones, for an objective that names one. */
  paths?: readonly NoisePath[];
  /** Weights to start from. Default: drawn from the seed. */
  initial?: InitialWeights | undefined;
  /** Draws pictures on the way. Default: none. It changes no byte of the weights. */
  samples?: SampleOptions | undefined;
}

/** What a config may depend on: the size and channels of what networks see, pixels or latents, and what conditions there are. */
export type ConfigFor = (data: ConditionSizes & { readonly size: number; readonly channels: number }) => {
  [name: string]: Json;
};

/**
 * Trains an expert on its cluster, resumes it, or finds it finished: the mean over times, noise and pictures of
 * w(t)·‖prediction − target‖² (DDM eq 6, with w = 1). The run is `expert-NN`.
 * @throws OutputError if the runs are in the data folder or around it; RunError if the run folder holds another run;
 *   DataError, CheckpointError for what cannot be read; ValueError for options that mean nothing; InterruptedError
 *   after `signal`; DivergedError if the loss is not finite
 */
export async function trainExpert(options: TrainExpertOptions): Promise<RunRecord> {
  return train(await expertRecipe(options), options);
}

/** What {@link trainExpert} trains. @throws as it does, for what it reads and for options that mean nothing */
export async function expertRecipe(options: TrainExpertOptions): Promise<Recipe> {
  await assertRunApart(options, expertRunName(options.cluster), options.initial);
  const { expert, data, condition, tensorsOf, ...learning } = await learningOf(options);
  const recipe: Recipe = { ...learning, companions: await companionsOf(data, options.device) };
  return { ...recipe, observers: await observersOf(options, expert, data, recipe, { condition, tensorsOf }) };
}

/** What identifies the run that {@link trainExpert} would make, without a device. @throws as it does */
export async function expertIdentity(
  options: Omit<TrainExpertOptions, keyof TrainControls>,
): Promise<{ identity: RunIdentity; data: TrainingData<ClusterManifest> }> {
  const { identity, data } = await learningOf(options);
  return { identity, data };
}

async function learningOf(options: Omit<TrainExpertOptions, keyof TrainControls>) {
  const { cluster, architecture, conditionDropout = 0.1 } = options;
  const { times = uniformDensity, lossWeight = unweighted } = options;
  checkConditionDropout(conditionDropout);
  const training = trainingOptions(options.training ?? {});
  await assertCluster(options.data, cluster);
  const data = await readCluster(onlyFolder(options.data, clusterFolder(cluster)), cluster);
  const { manifest } = data;
  const { count } = manifest;
  const config = options.config({ ...networkInput(manifest), ...sizesOf(manifest) });
  const kind = options.condition ? conditionKind(options.condition) : kindInConfig(config, 'tokens');
  const condition = conditionSource(kind, manifest);
  const expert = architecture.fromConfig(config);
  assertTakes('expert', expert, manifest, condition);
  const start = options.initial && (await readInitialWeights(toFlat(expert.init(key(0))), options.initial));
  const run = runKey(training.seed, cluster);
  const drawer = new BatchDrawer(run, { count, batchSize: training.batchSize, conditionDropout, times });
  const path = noisePath(expert.objective.path, options.paths);
  const identity: RunIdentity = {
    kind: 'expert',
    cluster,
    options: {
      ...recordedOptions(training),
      conditionDropout,
      objective: { prediction: expert.objective.prediction, path: expert.objective.path },
      times: times.name,
      lossWeight: lossWeight.name,
      initial: start?.identity ?? null,
      architecture: architecture.architecture,
      config,
      ...(options.condition && { condition: kind }),
    },
    data: { sha256: data.sha256, count },
  };
  const tensorsOf = batchesOf(expert, { lossWeight, path, condition });
  return {
    ...{ name: expertRunName(cluster), identity, expert, data, condition, tensorsOf, training },
    initKey: initKey(run),
    init: (from: Key | TensorKey) => toFlat(expert.init(from)),
    shards: manifest.shards,
    initial: start?.initial,
    ...denoising(expert, data, drawer, tensorsOf),
  };
}

/** What was asked for of held-out pictures and samples. */
async function observersOf(
  { device, cluster, validation, samples, paths, conditionDropout = 0.1 }: TrainExpertOptions,
  expert: Expert,
  { manifest, rows, items }: TrainingData<ClusterManifest>,
  learning: Recipe,
  { condition, tensorsOf }: { condition: ConditionSource; tensorsOf: TensorsOf },
): Promise<Observer<Params>[]> {
  const tensors = (heldOut: HeldOut, draw: BatchDraw) => tensorsOf(draw, heldOut);
  return [
    ...(validation
      ? [await validationObserver(validation, { device, learning, format: manifest, cluster, tensors })]
      : []),
    ...(samples
      ? [await samplesObserver(samples, { device, expert, manifest, rows, items, condition, paths, conditionDropout })]
      : []),
  ];
}

/** The tensors of a draw, of training pictures or of held-out ones: both have the loss's weight. */
type TensorsOf = (
  draw: BatchDraw,
  of: { readonly rows: Rows; readonly manifest: DataFormat },
) => ReturnType<typeof noisingBatch>;

function batchesOf(
  { objective: { prediction } }: Expert,
  { lossWeight: { weight }, path, condition }: { lossWeight: LossWeight; path: NoisePath; condition: ConditionSource },
): TensorsOf {
  return async (draw, { rows, manifest }) => {
    const tensors = await noisingBatch(draw, rows, manifest, path, condition);
    if (weight) tensors.weight = perPicture(draw, (t) => weight(prediction, path, t));
    return tensors;
  };
}

/** Noisy pictures, and what an expert should say of them. */
function denoising(
  expert: Expert,
  data: TrainingData<ClusterManifest>,
  drawer: BatchDrawer,
  tensorsOf: TensorsOf,
): Pick<Recipe, 'batch' | 'loss'> {
  const { prediction } = expert.objective;
  return {
    async batch(step, lost) {
      const draw = drawer.draw(step, lost);
      return { tensors: await tensorsOf(draw, data), noise: draw.noise, replaced: draw.replaced };
    },
    loss(params, batch, noise, dtype) {
      const { latents, target } = noised(batch, noise);
      const given = conditionOf(batch, dtype);
      const input = { latents: latents.cast(dtype), time: batch.time!, ...(given && { condition: given }) };
      const output = expert.apply(toTree(params), input);
      return { loss: denoisingLoss(output.cast('f32'), target(prediction), batch.weight) };
    },
  };
}
