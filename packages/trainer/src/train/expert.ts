// One expert, from its own cluster's folder and nothing else.

import { type FileSource, onlyFolder } from '@paris/files';
import { type Architecture, type Expert, type NoisePath, noisePath, toFlat, toTree } from '@paris/model';
import { key, ValueError } from '@paris/tensor';
import { BatchDrawer, initKey, runKey } from '../data/batches.js';
import { clusterFolder, readCluster, type TrainingData } from '../data/files.js';
import type { ClusterManifest } from '../data/formats.js';
import { assertRunApart } from '../output/apart.js';
import type { RunRecord } from '../run/record.js';
import { companionsOf } from './companions.js';
import { type InitialWeights, readInitialWeights } from './initial.js';
import { type LossWeight, unweighted } from './loss-weight.js';
import { conditionOf, denoisingLoss, noised, noisingBatch, perPicture } from './noising.js';
import { type TrainingOptions, trainingOptions } from './options.js';
import type { Recipe } from './recipe.js';
import { type TimeDensity, uniformDensity } from './time-density.js';
import { type TrainControls, train } from './train.js';

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
  /** Noise paths beside the built-in ones, for an objective that names one. */
  paths?: readonly NoisePath[];
  /** Weights to start from. Default: drawn from the seed. */
  initial?: InitialWeights | undefined;
}

/** What a config may depend on. */
export type ConfigFor = (data: { size: number; channels: number; maxTokens: number; vocabulary: number }) => {
  [name: string]: import('../run/record.js').Json;
};

/** `expert-03`: the name of a run. */
export function expertRunName(cluster: number): string {
  return `expert-${String(cluster).padStart(2, '0')}`;
}

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
async function expertRecipe(options: TrainExpertOptions): Promise<Recipe> {
  const { device, cluster, architecture, conditionDropout = 0.1 } = options;
  const { times = uniformDensity, lossWeight = unweighted } = options;
  if (!(conditionDropout >= 0 && conditionDropout <= 1)) {
    throw new ValueError('train', `conditionDropout must be a number in [0, 1], got ${conditionDropout}.`);
  }
  const training = trainingOptions(options.training ?? {});
  await assertRunApart(options, expertRunName(cluster), options.initial);
  const data = await readCluster(onlyFolder(options.data, clusterFolder(cluster)), cluster);
  const { manifest } = data;
  const { size, channels, maxTokens, vocabulary, count } = manifest;
  const config = options.config({ size, channels, maxTokens, vocabulary: vocabulary.length });
  const expert = architecture.fromConfig(config);
  const start = options.initial && (await readInitialWeights(toFlat(expert.init(key(0))), options.initial));
  const run = runKey(training.seed, cluster);
  const drawer = new BatchDrawer(run, { count, batchSize: training.batchSize, conditionDropout, times });
  return {
    name: expertRunName(cluster),
    identity: {
      kind: 'expert',
      cluster,
      options: {
        ...training,
        conditionDropout,
        objective: { prediction: expert.objective.prediction, path: expert.objective.path },
        times: times.name,
        lossWeight: lossWeight.name,
        initial: start?.identity ?? null,
        architecture: architecture.architecture,
        config,
      },
      data: { sha256: data.sha256, count },
    },
    companions: await companionsOf(manifest, device),
    training,
    initKey: initKey(run),
    init: (from) => toFlat(expert.init(from)),
    initial: start?.initial,
    ...denoising(expert, data, drawer, { lossWeight, path: noisePath(expert.objective.path, options.paths) }),
  };
}

/** Noisy pictures, and what an expert should say of them. */
function denoising(
  expert: Expert,
  { rows, manifest }: TrainingData<ClusterManifest>,
  drawer: BatchDrawer,
  { lossWeight: { weight }, path }: { lossWeight: LossWeight; path: NoisePath },
): Pick<Recipe, 'batch' | 'loss'> {
  const { prediction } = expert.objective;
  return {
    async batch(step) {
      const draw = drawer.draw(step);
      const tensors = await noisingBatch(draw, rows, manifest, path);
      if (weight) tensors.weight = perPicture(draw, (t) => weight(prediction, path, t));
      return { tensors, noise: draw.noise };
    },
    loss(params, batch, noise, dtype) {
      const { latents, target } = noised(batch, noise);
      const condition = conditionOf(batch);
      const output = expert.apply(toTree(params), { latents: latents.cast(dtype), time: batch.time!, condition });
      return { loss: denoisingLoss(output.cast('f32'), target(prediction), batch.weight) };
    },
  };
}
