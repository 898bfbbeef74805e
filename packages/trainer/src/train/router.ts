// The router, from all training pictures in their natural proportions.

import { readPartition, writePartition } from '@paris/clustering';
import type { AnyRouterArchitecture } from '@paris/router';
import { type NoisePath, noisePath } from '@paris/sampler';
import { argmax, crossEntropy, type Device } from '@paris/tensor';
import { type FileStore, memoryStore } from '@paris/tensor/store';
import { BatchDrawer, initKey, runKey } from '../data/batches.js';
import { readLabelled } from '../data/files.js';
import type { Json, RunRecord } from '../run/record.js';
import { runTraining } from '../run/run.js';
import { adapterOf, companionsOf, type RunControls, versions } from './common.js';
import { createJob } from './job.js';
import { noised, noisingBatch } from './noising.js';
import { type TrainingOptions, trainingOptions } from './options.js';
import { toFlat, toTree } from './params.js';

export interface TrainRouterOptions extends RunControls {
  device: Device;
  /** The data folder. `router` and `partition` of it are opened. */
  data: FileStore;
  /** Where run folders are; this one is `router`. */
  runs: FileStore;
  architecture: AnyRouterArchitecture;
  /** The architecture's config.json, given the format of the data. */
  config: (data: { size: number; channels: number; clusters: number }) => { [name: string]: Json };
  training?: Partial<TrainingOptions>;
  /**
   * The noise path that will be sampled on. Experts of other paths are asked at the time of equal log-SNR. Default
   * `linear`.
   */
  path?: string;
  /** Noise paths beside the built-in ones. */
  paths?: readonly NoisePath[];
}

export const ROUTER_RUN = 'router';

/**
 * Trains the router: cross-entropy of p(k | x_t, t) on noisy pictures, x_0 from the whole training set in its natural
 * proportions, t uniform (DDM, arXiv 2501.05450, Algorithm 1). So it contains the clusters' sizes already.
 * @throws as `trainExpert` does
 */
export async function trainRouter(options: TrainRouterOptions): Promise<RunRecord> {
  const { device, architecture, path: pathName = 'linear' } = options;
  const training = trainingOptions(options.training ?? {});
  const data = await readLabelled(options.data, 'router');
  const { manifest, labels } = data;
  const { size, channels, clusters } = manifest;
  const path = noisePath(pathName, options.paths);
  const config = options.config({ size, channels, clusters });

  const job = async () => {
    const router = architecture.fromConfig(config);
    const run = runKey(training.seed, 'router');
    const drawer = new BatchDrawer(run, { count: manifest.count, batchSize: training.batchSize, conditionDropout: 0 });
    return createJob({
      device,
      options: training,
      initKey: initKey(run),
      init: (key) => toFlat(router.init(key)),
      batch: (step) => {
        const draw = drawer.draw(step);
        const own = Uint32Array.from(draw.indices, (row) => labels[row]!);
        const tensors = { ...noisingBatch(draw, data, manifest, path), labels: { data: own, shape: [own.length] } };
        return { tensors, noise: draw.noise };
      },
      loss: (params, batch, noise, dtype) => {
        const latents = noised(batch, noise).latents.cast(dtype);
        const condition = { kind: 'tokens' as const, ids: batch.ids! };
        const logits = router.logits(toTree(params), { latents, time: batch.time!, condition }).cast('f32');
        const right = argmax(logits, 1).equal(batch.labels!).cast('f32');
        return { loss: crossEntropy(logits, batch.labels!).mean(), accuracy: right.mean() };
      },
    });
  };
  const companions = memoryStore();
  await writePartition(companions, 'partition', await readPartition(options.data, 'partition'));
  return runTraining(job, {
    ...options,
    name: ROUTER_RUN,
    identity: {
      kind: 'router',
      options: { ...training, architecture: architecture.architecture, config, path: pathName },
      data: { sha256: data.sha256, count: manifest.count },
    },
    versions,
    adapter: adapterOf(device),
    companions: await companionsOf(manifest, device, companions),
    checkpointEvery: options.checkpointEvery ?? 100,
  });
}
