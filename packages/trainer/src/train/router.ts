// The router, from all training pictures in their natural proportions.

import { readPartition, writePartition } from '@paris/clustering';
import { checkName, type FileSource, memoryStore } from '@paris/files';
import { type Architecture, type NoisePath, noisePath, type Router, toFlat, toTree } from '@paris/model';
import { type GrownPart, grownParts, trainablePart } from '@paris/router';
import { argmax, crossEntropy, type Key, ValueError } from '@paris/tensor';
import { type BatchDraw, BatchDrawer, initKey, runKey } from '../data/batches.js';
import { type Labels, readLabelled, type TrainingData } from '../data/files.js';
import { type LabelledManifest, networkInput } from '../data/formats.js';
import type { LostAtStep } from '../data/lost.js';
import { assertRunApart } from '../output/apart.js';
import { ROUTER_RUN } from '../run/names.js';
import type { Json, RunRecord } from '../run/record.js';
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
import { noised, noisingBatch } from './noising.js';
import { grownFrom, readOldRouter } from './old-router.js';
import { checkConditionDropout, recordedOptions, type TrainingOptions, trainingOptions } from './options.js';
import type { HostBatch, Recipe } from './recipe.js';
import { assertTakes } from './takes.js';
import { type TrainControls, train } from './train.js';
import { validationObserver } from './validation.js';

/** Which router is trained, on what, for which noise path. */
export interface TrainRouterOptions extends TrainControls {
  /** The data folder. `router` and `partition` of it are opened. */
  data: FileSource;
  architecture: Architecture<Router>;
  /** The architecture's config.json, given the format of the data. */
  config: (data: ConditionSizes & { readonly size: number; readonly channels: number; readonly clusters: number }) => {
    [name: string]: Json;
  };
  /** What the router is given with its pictures. Default: the kind of `condition` in its config, and words where it has none. */
  condition?: ConditionName | undefined;
  training?: Partial<TrainingOptions>;
  /**
   * Probability of training on a picture without its caption, for a router that reads prompts: what it says where there
   * is none. A router that grew from one that reads none drops none. Default 0.
   */
  conditionDropout?: number;
  /**
   * The noise path that will be sampled on. Experts of other paths are asked at the time of equal log-SNR. Default
   * `linear`.
   */
  path?: string;
  /** Noise paths in addition to the built-in ones. */
  paths?: readonly NoisePath[];
  /**
   * How often pictures of each cluster are drawn. Default `natural`: in the proportions of the data, so that the router
   * learns p(k | x_t, t), which the mixture's formula wants. `balanced` draws every cluster equally often: small
   * clusters are recognised better, but the probabilities no longer reflect cluster sizes, so the mixture favours small ones.
   */
  prior?: RouterPrior;
  /**
   * Starts from a router that was trained before, which may know fewer clusters; `config`, `architecture` and `path` are then its.
   * What of it is trained is `learns`: default `head`. It is another run than the old one, in a folder of its own.
   */
  from?: RouterStart | undefined;
}

/** A router to start from. */
export interface RouterStart {
  /** The folder of a finished router's run, or of a model. */
  readonly store: FileSource;
  /** See `GrownPart` of `@paris/router`: the rest keeps its bits. */
  readonly learns?: GrownPart | undefined;
}

/** Whether the router learns the clusters' sizes ('natural') or takes all clusters for equally likely ('balanced'). */
export type RouterPrior = 'natural' | 'balanced';

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
export async function routerRecipe(options: TrainRouterOptions): Promise<Recipe> {
  const { device, architecture, prior = 'natural' } = options;
  const training = trainingOptions(options.training ?? {});
  checkConditionDropout(options.conditionDropout ?? 0);
  checkName('train', 'prior', prior, ['natural', 'balanced']);
  await assertRunApart(options, ROUTER_RUN);
  const data = await readLabelled(options.data, 'router');
  const { manifest } = data;
  const { clusters, count } = manifest;
  const start = options.from && (await startFrom(options.from, training, data));
  const { path: pathName = 'linear' } = start ?? options;
  const path = noisePath(pathName, options.paths);
  const config = start?.config ?? options.config({ ...networkInput(manifest), ...sizesOf(manifest), clusters });
  const conditionDropout = start && !start.config.condition ? 0 : (options.conditionDropout ?? 0);
  const kind = options.condition ? conditionKind(options.condition) : kindInConfig(config, 'tokens');
  const condition = conditionSource(kind, manifest);
  const router = architecture.fromConfig(config);
  assertTakes('router', router, manifest, condition);
  const run = runKey(training.seed, 'router');
  const draw = drawing(run, drawnRows(data.labels, prior), { batchSize: training.batchSize, conditionDropout });
  const companions = memoryStore();
  await writePartition(companions, 'partition', await readPartition(options.data, 'partition'));
  const recipe: Recipe = {
    name: ROUTER_RUN,
    identity: {
      kind: 'router',
      options: {
        ...recordedOptions(training),
        architecture: architecture.architecture,
        config,
        path: pathName,
        prior,
        ...(conditionDropout > 0 && { conditionDropout }),
        ...(options.condition && { condition: kind }),
        ...(start && { from: start.identity }),
      },
      data: { sha256: data.sha256, count },
    },
    companions: await companionsOf(data, device, companions),
    training,
    initKey: initKey(run),
    init: (key) => toFlat(router.init(key)),
    shards: manifest.shards,
    ...(start && { initial: start.weights }),
    ...classifying(start ? start.learning(router) : router, data, draw, { path, condition }),
  };
  if (!options.validation) return recipe;
  const tensors = (heldOut: typeof data, draw: BatchDraw) => labelledBatch(draw, heldOut, { path, condition });
  const validation = await validationObserver(options.validation, {
    device,
    learning: recipe,
    format: manifest,
    tensors,
  });
  return { ...recipe, observers: [validation] };
}

/** What a run takes from an old router. @throws ValueError with weight decay, which would change what is to stay */
async function startFrom(
  { store, learns = 'head' }: RouterStart,
  { weightDecay }: TrainingOptions,
  { labels, manifest }: TrainingData<LabelledManifest> & Labels,
) {
  checkName('train', 'learns', learns, grownParts);
  if (learns !== 'all' && weightDecay > 0) {
    const what = `weightDecay ${weightDecay} would change what is not trained`;
    throw new ValueError('train', `${what}. Give 0, or train all of the router.`);
  }
  const old = await readOldRouter(store);
  const { clusters, vocabulary, classes } = manifest;
  const known = old.config.clusters;
  if (learns === 'row' && clusters === known) {
    throw new ValueError('train', 'there is no new cluster, so no new row to train. Train the head, or all of it.');
  }
  const { config, weights } = grownFrom(old, clusters, labels, {
    ...networkInput(manifest),
    ...{ vocabulary, classes },
  });
  return {
    path: old.path,
    config,
    weights: Object.fromEntries(Object.entries(weights).map(([name, { data, shape }]) => [name, { data, shape }])),
    identity: { sha256: old.sha256, clusters: known, learns },
    learning: (router: Router): Router => ({
      ...router,
      logits: (params, input) => router.logits(toTree(trainablePart(toFlat(params), learns, known)), input),
    }),
  };
}

/** What each step draws of rows, of which some may come several times. */
function drawing(run: Key, rows: Uint32Array, how: { batchSize: number; conditionDropout: number }): DrawAtStep {
  const drawer = new BatchDrawer(run, { count: rows.length, ...how });
  return (step, lost) => {
    const draw = drawer.draw(step, lost && { ...lost, has: (at) => lost.has(rows[at]!) });
    return { ...draw, indices: draw.indices.map((at) => rows[at]!) };
  };
}

type DrawAtStep = (step: number, lost: LostAtStep | undefined) => BatchDraw;

/** Noisy pictures, and the cluster of each. */
function classifying(
  router: Router,
  data: TrainingData<LabelledManifest> & Labels,
  drawOf: DrawAtStep,
  of: BatchParts,
): Pick<Recipe, 'batch' | 'loss'> {
  return {
    async batch(step, lost) {
      const draw = drawOf(step, lost);
      return { tensors: await labelledBatch(draw, data, of), noise: draw.noise, replaced: draw.replaced };
    },
    loss(params, batch, noise, dtype) {
      const latents = noised(batch, noise).latents.cast(dtype);
      const condition = conditionOf(batch, dtype);
      const input = { latents, time: batch.time!, ...(condition && { condition }) };
      const logits = router.logits(toTree(params), input).cast('f32');
      const right = argmax(logits, 1).equal(batch.labels!).cast('f32');
      return { loss: crossEntropy(logits, batch.labels!).mean(), accuracy: right.mean() };
    },
  };
}

interface BatchParts {
  readonly path: NoisePath;
  readonly condition: ConditionSource;
}

/** Noisy pictures with the cluster of each, `labels` u32 [B]. */
async function labelledBatch(
  draw: BatchDraw,
  { rows, manifest, labels }: TrainingData<LabelledManifest> & Labels,
  { path, condition }: BatchParts,
): Promise<HostBatch['tensors']> {
  const own = Uint32Array.from(draw.indices, (row) => labels[row]!);
  return { ...(await noisingBatch(draw, rows, manifest, path, condition)), labels: { data: own, shape: [own.length] } };
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
