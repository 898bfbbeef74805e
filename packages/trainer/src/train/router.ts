// The router, from all training pictures in their natural proportions.

import { readPartition, writePartition } from '@paris/clustering';
import { type FileSource, memoryStore } from '@paris/files';
import { type Architecture, type NoisePath, noisePath, type Router, toFlat, toTree } from '@paris/model';
import { argmax, crossEntropy } from '@paris/tensor';
import { type BatchDraw, BatchDrawer, initKey, runKey } from '../data/batches.js';
import { type Labels, readLabelled, type TrainingData } from '../data/files.js';
import type { LabelledManifest } from '../data/formats.js';
import { assertRunApart } from '../output/apart.js';
import type { Json, RunRecord } from '../run/record.js';
import { companionsOf } from './companions.js';
import { conditionOf, noised, noisingBatch } from './noising.js';
import { type TrainingOptions, trainingOptions } from './options.js';
import type { Recipe } from './recipe.js';
import { type TrainControls, train } from './train.js';

/** Which router is trained, on what, for which noise path. */
export interface TrainRouterOptions extends TrainControls {
  /** The data folder. `router` and `partition` of it are opened. */
  data: FileSource;
  architecture: Architecture<Router>;
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
  /**
   * How often pictures of each cluster are drawn. Default `natural`: in the proportions of the data, so that the router
   * learns p(k | x_t, t), which the mixture's formula wants. `balanced` draws every cluster as often: small ones are told
   * better, but the answer lacks the clusters' sizes, and the mixture leans to small clusters.
   */
  prior?: RouterPrior;
}

/** Whether the router learns the clusters' sizes ('natural') or takes all clusters for equally likely ('balanced'). */
export type RouterPrior = 'natural' | 'balanced';

/** The name of the router's run. */
export const ROUTER_RUN = 'router';

/**
 * Trains the router: cross-entropy of p(k | x_t, t) on noisy pictures, x_0 from the whole training set in its natural
 * proportions (see `prior`), t uniform (DDM, arXiv 2501.05450, Algorithm 1). So it contains the clusters' sizes already.
 * The run is `router`.
 * @throws as `trainExpert` does
 */
export async function trainRouter(options: TrainRouterOptions): Promise<RunRecord> {
  return train(await routerRecipe(options), options);
}

/** What {@link trainRouter} trains. */
async function routerRecipe(options: TrainRouterOptions): Promise<Recipe> {
  const { device, architecture, path: pathName = 'linear', prior = 'natural' } = options;
  const training = trainingOptions(options.training ?? {});
  await assertRunApart(options, ROUTER_RUN);
  const data = await readLabelled(options.data, 'router');
  const { manifest } = data;
  const { size, channels, clusters, count } = manifest;
  const path = noisePath(pathName, options.paths);
  const config = options.config({ size, channels, clusters });
  const router = architecture.fromConfig(config);
  const run = runKey(training.seed, 'router');
  const drawn = drawnRows(data.labels, prior);
  const drawer = new BatchDrawer(run, { count: drawn.length, batchSize: training.batchSize, conditionDropout: 0 });
  const companions = memoryStore();
  await writePartition(companions, 'partition', await readPartition(options.data, 'partition'));
  return {
    name: ROUTER_RUN,
    identity: {
      kind: 'router',
      options: { ...training, architecture: architecture.architecture, config, path: pathName, prior },
      data: { sha256: data.sha256, count },
    },
    companions: await companionsOf(manifest, device, companions),
    training,
    initKey: initKey(run),
    init: (key) => toFlat(router.init(key)),
    ...classifying(
      router,
      data,
      (step) => {
        const draw = drawer.draw(step);
        return { ...draw, indices: draw.indices.map((at) => drawn[at]!) };
      },
      path,
    ),
  };
}

/** Noisy pictures, and the cluster of each. */
function classifying(
  router: Router,
  { rows, manifest, labels }: TrainingData<LabelledManifest> & Labels,
  drawOf: (step: number) => BatchDraw,
  path: NoisePath,
): Pick<Recipe, 'batch' | 'loss'> {
  return {
    async batch(step) {
      const draw = drawOf(step);
      const own = Uint32Array.from(draw.indices, (row) => labels[row]!);
      const tensors = await noisingBatch(draw, rows, manifest, path);
      return { tensors: { ...tensors, labels: { data: own, shape: [own.length] } }, noise: draw.noise };
    },
    loss(params, batch, noise, dtype) {
      const latents = noised(batch, noise).latents.cast(dtype);
      const input = { latents, time: batch.time!, condition: conditionOf(batch) };
      const logits = router.logits(toTree(params), input).cast('f32');
      const right = argmax(logits, 1).equal(batch.labels!).cast('f32');
      return { loss: crossEntropy(logits, batch.labels!).mean(), accuracy: right.mean() };
    },
  };
}

/**
 * The rows of one epoch: each once, or, balanced, as many of every cluster as the largest has, the pictures of smaller ones
 * several times.
 */
export function drawnRows(labels: Uint32Array, prior: RouterPrior): Uint32Array {
  if (prior === 'natural') return labels.map((_, row) => row);
  const members = [...new Set(labels)].map((label) => [...labels.keys()].filter((row) => labels[row] === label));
  const most = Math.max(...members.map(({ length }) => length));
  return Uint32Array.from(members.flatMap((own) => Array.from({ length: most }, (_, i) => own[i % own.length]!)));
}
