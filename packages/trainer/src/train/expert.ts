// One expert, from its own cluster's folder and nothing else.

import type { FileSource, FileStore } from '@paris/files';
import { onlyFolder } from '@paris/files';
import { type Architecture, type Expert, type NoisePath, noisePath, toFlat, toTree } from '@paris/model';
import { type Device, key, ValueError } from '@paris/tensor';
import { BatchDrawer, initKey, runKey } from '../data/batches.js';
import { clusterFolder, readCluster } from '../data/files.js';
import { type LossWeight, unweighted } from '../objective/loss-weight.js';
import { type TimeDensity, uniformDensity } from '../objective/time-density.js';
import type { RunRecord } from '../run/record.js';
import { runTraining } from '../run/run.js';
import { adapterOf, assertRunApart, companionsOf, type RunControls, versions } from './common.js';
import { type InitialWeights, readInitialWeights } from './initial.js';
import { createJob } from './job.js';
import { conditionOf, denoisingLoss, noised, noisingBatch, perPicture } from './noising.js';
import { type TrainingOptions, trainingOptions } from './options.js';

/** Which expert is trained, on what, towards what. */
export interface TrainExpertOptions extends RunControls {
  device: Device;
  /** The data folder. Only `clusters/NN` of it is opened; the rest need not be there. */
  data: FileSource;
  cluster: number;
  /** Where run folders are; this one is `expert-NN`. */
  runs: FileStore;
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
 * Trains an expert on its cluster, continues it, or finds it finished: the mean over times, noise and pictures of
 * w(t)·‖prediction − target‖² (DDM eq 6, with w = 1).
 * @throws OutputError if the runs are in the data folder or around it; RunError if the run folder holds another run; DataError, CheckpointError for what cannot be read;
 *   ValueError for options that mean nothing; InterruptedError after `signal`; DivergedError if the loss is not finite
 */
export async function trainExpert(options: TrainExpertOptions): Promise<RunRecord> {
  const { device, cluster, architecture, conditionDropout = 0.1 } = options;
  const { times = uniformDensity, lossWeight = unweighted } = options;
  if (!(conditionDropout >= 0 && conditionDropout <= 1)) {
    throw new ValueError('train', `conditionDropout must be a number in [0, 1], got ${conditionDropout}.`);
  }
  const training = trainingOptions(options.training ?? {});
  await assertRunApart(options, expertRunName(cluster), options.initial);
  const data = await readCluster(onlyFolder(options.data, clusterFolder(cluster)), cluster);
  const { manifest } = data;
  const { size, channels, maxTokens, vocabulary } = manifest;
  const config = options.config({ size, channels, maxTokens, vocabulary: vocabulary.length });
  const expert = architecture.fromConfig(config);
  const { prediction, path: pathName } = expert.objective;
  const path = noisePath(pathName, options.paths);
  const start = options.initial && (await readInitialWeights(toFlat(expert.init(key(0))), options.initial));

  const job = async () => {
    const run = runKey(training.seed, cluster);
    const { batchSize } = training;
    const drawer = new BatchDrawer(run, { count: manifest.count, batchSize, conditionDropout, times });
    const { weight } = lossWeight;
    return createJob({
      device,
      options: training,
      initKey: initKey(run),
      init: (from) => toFlat(expert.init(from)),
      initial: start?.initial,
      batch: (step) => {
        const draw = drawer.draw(step);
        const tensors = noisingBatch(draw, data, manifest, path);
        if (weight) tensors.weight = perPicture(draw, (t) => weight(prediction, path, t));
        return { tensors, noise: draw.noise };
      },
      loss: (params, batch, noise, dtype) => {
        const { latents, target } = noised(batch, noise);
        const condition = conditionOf(batch);
        const output = expert.apply(toTree(params), { latents: latents.cast(dtype), time: batch.time!, condition });
        return { loss: denoisingLoss(output.cast('f32'), target(prediction), batch.weight) };
      },
    });
  };
  return runTraining(job, {
    ...options,
    name: expertRunName(cluster),
    identity: {
      kind: 'expert',
      cluster,
      options: {
        ...training,
        conditionDropout,
        objective: { prediction, path: pathName },
        times: times.name,
        lossWeight: lossWeight.name,
        initial: start?.identity ?? null,
        architecture: architecture.architecture,
        config,
      },
      data: { sha256: data.sha256, count: manifest.count },
    },
    versions,
    adapter: adapterOf(device),
    companions: await companionsOf(manifest, device),
    checkpointEvery: options.checkpointEvery ?? 100,
  });
}
