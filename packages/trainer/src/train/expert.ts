// One expert, from its own cluster's folder and nothing else.
import type { AnyExpertArchitecture } from '@paris/dit';
import { noisePath } from '@paris/sampler';
import { type Device, mse } from '@paris/tensor';
import { allowList, type FileStore } from '@paris/tensor/store';
import { BatchDrawer, initKey, runKey } from '../data/batches.js';
import { clusterFolder, readCluster } from '../data/files.js';
import type { RunRecord } from '../run/record.js';
import { runTraining } from '../run/run.js';
import { adapterOf, companionsOf, type RunControls, versions } from './common.js';
import { createJob } from './job.js';
import { noised, noisingBatch } from './noising.js';
import { type TrainingOptions, trainingOptions } from './options.js';
import { toFlat, toTree } from './params.js';

export interface TrainExpertOptions extends RunControls {
  device: Device;
  /** The data folder. Only `clusters/NN` of it is opened; the rest need not be there. */
  data: FileStore;
  cluster: number;
  /** Where run folders are; this one is `expert-NN`. */
  runs: FileStore;
  /** `dit`, or your own from `defineExpert`. */
  architecture: AnyExpertArchitecture;
  /** The architecture's config.json, given the format of the data (size, channels, vocabulary). */
  config: ConfigFor;
  training?: Partial<TrainingOptions>;
  /** Probability of training on a picture without its caption, for classifier-free guidance. Default 0.1. */
  conditionDropout?: number;
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
 * Trains an expert on its cluster, continues it, or finds it finished. The objective is the mean squared error of the
 * prediction (DDM eq 6); times are uniform.
 * @throws RunError if the run folder holds another run; DataError, CheckpointError for what cannot be read;
 *   InterruptedError after `signal`; DivergedError if the loss is not finite
 */
export async function trainExpert(options: TrainExpertOptions): Promise<RunRecord> {
  const { device, cluster, architecture, conditionDropout = 0.1 } = options;
  const training = trainingOptions(options.training ?? {});
  const own = allowList(options.data, [clusterFolder(cluster)]);
  const data = await readCluster(own, cluster);
  const { manifest } = data;
  const { size, channels, maxTokens, vocabulary } = manifest;
  const config = options.config({ size, channels, maxTokens, vocabulary: vocabulary.length });

  const job = async () => {
    const expert = architecture.fromConfig(config);
    const path = noisePath(expert.objective.path);
    const run = runKey(training.seed, cluster);
    const { batchSize } = training;
    const drawer = new BatchDrawer(run, { count: manifest.count, batchSize, conditionDropout });
    return createJob({
      device,
      options: training,
      initKey: initKey(run),
      init: (key) => toFlat(expert.init(key)),
      batch: (step) => {
        const draw = drawer.draw(step);
        return { tensors: noisingBatch(draw, data, manifest, path), noise: draw.noise };
      },
      loss: (params, batch, noise) => {
        const { latents, target } = noised(batch, noise);
        const condition = { kind: 'tokens' as const, ids: batch.ids! };
        const prediction = expert.apply(toTree(params), { latents, time: batch.time!, condition });
        return { loss: mse(prediction, target(expert.objective.prediction)) };
      },
    });
  };
  return runTraining(job, {
    ...options,
    name: expertRunName(cluster),
    identity: {
      kind: 'expert',
      cluster,
      options: { ...training, conditionDropout, architecture: architecture.architecture, config },
      data: { sha256: data.sha256, count: manifest.count },
    },
    versions,
    adapter: adapterOf(device),
    companions: await companionsOf(manifest, device),
    checkpointEvery: options.checkpointEvery ?? 100,
  });
}
