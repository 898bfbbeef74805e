// A whole mixture as a teacher: what it predicts for the noisy pictures of a training batch, each of which has its own time. (The
// mixture that samples has one time for all pictures of a call.)
import { readPartition } from '@paris/clustering';
import { type FileSource, sha256 } from '@paris/files';
import {
  type Expert,
  type NoisePath,
  noisePath,
  type Params,
  type PredictionCoefficients,
  type PredictionScalars,
  predictionCoefficients,
  toFlat,
} from '@paris/model';
import type { RoutingPolicy } from '@paris/router';
import {
  assignBatch,
  checkWeights,
  type ExpertBatch,
  type ExpertInput,
  expertForward,
  type LoadedModel,
  routerForward,
} from '@paris/sampler';
import { type Device, normal, scalar, type Tensor, type TensorKey, ValueError } from '@paris/tensor';
import { policyFor } from '../assemble/routes.js';
import type { BatchDraw } from '../data/batches.js';
import type { LabelledManifest } from '../data/formats.js';
import type { PartArchitectures } from '../encode/parts.js';
import { DataError } from '../errors.js';
import { assertFits, assertSameParts } from '../evaluate/fits.js';
import { modelCondition } from '../evaluate/measure.js';
import { partitionHash } from '../partition/partition.js';
import { type ConditionSource, conditionOf, conditionSource } from '../train/conditions.js';
import { noised } from '../train/noising.js';
import { requireOption } from '../train/options.js';
import type { Batch, HostBatch, HostTensor } from '../train/recipe.js';
import { upload } from '../train/step.js';

/** How a mixture teaches. */
export interface TeachingOptions {
  /**
   * `oracle`: each picture is taught by the expert of its cluster (DDM, arXiv 2501.05450, §4.6), which costs one forward a picture;
   * or a routing policy such as `top2`, by what the router says of the noisy picture. Default `oracle`.
   */
  readonly teacher?: string | undefined;
  /**
   * Guidance in what is taught: the student then draws at guidance 1 what the mixture draws at this one. Default 1, none: the
   * student is guided when it samples, as the mixture is.
   */
  readonly guidance?: number | undefined;
}

/** A mixture that answers for batches of a training. */
export interface Teacher {
  /** The path of its noise, on which the student learns. */
  readonly path: NoisePath;
  /** What pictures are described by, for both. */
  readonly condition: ConditionSource;
  /** What decides its answers, for run.json. */
  readonly identity: { sha256: string; licence: string; routing: string; guidance: number };
  /**
   * Velocities [B, C, S, S] that it predicts for the noisy pictures of a batch, whose noise is drawn from `draw.noise`.
   * @param tensors - what `noisingBatch` makes of the draw
   * @param labels - the cluster of each picture of the batch
   */
  teach(tensors: HostBatch['tensors'], draw: BatchDraw, labels: ArrayLike<number>): Promise<HostTensor>;
}

/**
 * @param store - the folder that `model` was loaded from
 * @throws DataError if the model and the data have other sizes, words, classes or, for the oracle, clusters, or if an expert is
 *   absent; ValueError for a policy or a guidance that means nothing
 */
export async function openTeacher(
  store: FileSource,
  model: LoadedModel,
  of: { data: FileSource; manifest: LabelledManifest; parts: PartArchitectures } & TeachingOptions,
): Promise<Teacher> {
  const { data, manifest, parts, teacher: routing = 'oracle', guidance = 1 } = of;
  const policy = routing === 'oracle' ? undefined : policyFor(routing, model.index.clusters);
  requireOption('guidance', guidance, Number.isFinite(guidance), 'a number such as 2');
  const { absent = [] } = model.index;
  if (absent.length > 0) {
    const which = `expert${absent.length > 1 ? 's' : ''} ${absent.join(', ')}`;
    throw new DataError(
      'distil',
      `the teacher lacks ${which}, so nobody can teach those pictures. Give a whole model.`,
    );
  }
  assertFits('distil', model, manifest);
  await assertSameParts('distil', store, model, manifest, parts);
  if (!policy && model.experts.length > 1) await assertSameClusters(store, data);
  const condition = conditionSource(modelCondition(model), manifest);
  if (guidance !== 1 && condition.kind === 'none') {
    throw new ValueError('distil', `guidance ${guidance} needs a prompt, and the teacher takes none. Leave it out.`);
  }
  return {
    path: model.path,
    condition,
    identity: {
      sha256: await sha256(await store.read('model_index.json')),
      licence: model.index.licence,
      ...{ routing, guidance },
    },
    teach: teaching(model, condition, policy, guidance),
  };
}

/** The oracle needs to know which expert learned from a picture. */
async function assertSameClusters(model: FileSource, data: FileSource): Promise<void> {
  const [own, theirs] = await Promise.all(
    [model, data].map(async (store) => {
      if (!(await store.exists('partition/partition.json'))) return undefined;
      return partitionHash(await readPartition(store, 'partition'));
    }),
  );
  if (own !== undefined && own === theirs) return;
  const what = "the data is partitioned otherwise than the teacher's was, so no picture's expert is known";
  throw new DataError(
    'distil',
    `${what}. Give the data that it was trained on, or let its router choose: --teacher top2.`,
  );
}

function teaching(
  model: LoadedModel,
  condition: ConditionSource,
  policy: RoutingPolicy | undefined,
  guidance: number,
): Teacher['teach'] {
  const { device, path } = model;
  const experts = model.experts.map(({ expert, params }) => ({ expert, params: toFlat(params) }));
  const forwards = new Map(
    [...new Set(experts.map(({ expert }) => expert))].map((own) => [own, velocityOf(device, own)]),
  );
  const probabilitiesOf = routerOf(model);
  const noisy = device.compile((batch: Batch, key: TensorKey) => noised(batch, (shape) => normal(key, shape)).latents);
  const add = device.compile((parts: Tensor[]) => parts.reduce((sum, part) => sum.add(part)));

  const ask = async (batch: ExpertBatch, own: Given, times: Float32Array): Promise<Tensor> => {
    const { expert, params } = experts[batch.expert]!;
    const bucket = batch.pictures.length;
    const at = coefficientsAt(
      device,
      expert,
      path,
      Float32Array.from(batch.pictures, (i) => times[i]!),
    );
    const pictures = device.tensor(batch.pictures, { shape: [bucket], dtype: 'u32' });
    const weights = device.tensor(batch.weights, { shape: [times.length, bucket] });
    try {
      return await forwards.get(expert)!(params, { ...own, ...at, pictures, weights });
    } finally {
      for (const tensor of [at.time, ...Object.values(at.at), pictures, weights]) tensor.dispose();
    }
  };

  return async (tensors, draw, labels) => {
    const batch = upload(device, tensors);
    const nothing = guidance === 1 ? {} : upload(device, nothingBatch(condition, tensors));
    const latents = await noisy(batch, draw.noise);
    const given = Object.fromEntries(Object.keys(condition.nothing).map((name) => [name, batch[name]!]));
    const guided = { nothing, guidance: { scale: scalar(guidance), kind: 'cfg' as const } };
    const own: Given = { latents, given, ...(guidance !== 1 && guided) };
    const parts: Tensor[] = [];
    try {
      const weights = policy
        ? routed(policy, await probabilitiesOf(latents, batch.time!, given), draw)
        : Array.from(draw.times, (_, i) => oneHot(experts.length, experts.length === 1 ? 0 : labels[i]!));
      for (const each of assignBatch(weights)) parts.push(await ask(each, own, draw.times));
      if (parts.length > 1) parts.push(await add([...parts]));
      const sum = parts.at(-1)!;
      return { data: (await sum.read()) as Float32Array, shape: sum.shape };
    } finally {
      for (const tensor of [latents, ...Object.values(batch), ...Object.values(nothing), ...parts]) tensor.dispose();
    }
  };
}

/** What every expert is given of a batch, with and without its descriptions. */
interface Given extends Pick<ExpertInput, 'latents' | 'guidance'> {
  readonly given: Batch;
  readonly nothing?: Batch;
}

/** Velocities on the sampled path of an expert's pictures of a batch, weighted and in their places, [B, C, S, S]. */
function velocityOf(device: Device, expert: Expert) {
  const ask = expertForward(expert);
  return device.compile((params: Params, { given, nothing, ...input }: Given & Omit<ExpertInput, keyof Given>) => {
    const conditions = { condition: conditionOf(given), unconditional: nothing && conditionOf(nothing) };
    return ask(params, { ...input, ...conditions }).velocity;
  });
}

/** Probabilities [B, K] of noisy pictures, each at its own time; of a single expert, 1. */
function routerOf({ device, router, experts }: LoadedModel) {
  const params = router && toFlat(router.params);
  const forward = router && routerForward(router.router);
  const run =
    forward &&
    device.compile((weights: Params, latents: Tensor, time: Tensor, given: Batch) => {
      const condition = conditionOf(given);
      return forward(weights, { latents, time, ...(condition && { condition }) });
    });
  return async (latents: Tensor, time: Tensor, given: Batch): Promise<Float32Array> => {
    if (!run) return new Float32Array(latents.shape[0]!).fill(1);
    using answer = await run(params!, latents, time, given);
    const all = (await answer.read()) as Float32Array;
    return experts.length === 1 ? all.fill(1) : all;
  };
}

/** What a policy makes of the router's probabilities, [K] for each picture. */
function routed(policy: RoutingPolicy, probabilities: Float32Array, { times, noise }: BatchDraw): Float32Array[] {
  const clusters = probabilities.length / times.length;
  return Array.from(times, (time, i) => {
    const own = probabilities.subarray(i * clusters, (i + 1) * clusters);
    const key = noise.foldIn(ROUTING).foldIn(i);
    const weights = policy(own, { imageIndex: i, step: 0, evaluation: 0, time, key });
    checkWeights(weights, clusters, i);
    return weights;
  });
}

/** The stream of a batch's noise that policies draw from. */
const ROUTING = 1;

function oneHot(count: number, at: number): Float32Array {
  return new Float32Array(count).fill(1, at, at + 1);
}

/** When an expert is asked for each of its pictures, and how its answers are read. */
function coefficientsAt(device: Device, { objective }: Expert, path: NoisePath, times: Float32Array) {
  const trained = noisePath(objective.path, [path]);
  const rows = Array.from(times, (t) => predictionCoefficients(objective.prediction, trained, path, t));
  const column = (name: keyof PredictionCoefficients, shape: number[]) =>
    device.tensor(
      Float32Array.from(rows, (row) => row[name]),
      { shape },
    );
  const names = Object.keys(rows[0]!).filter((name) => name !== 'time') as (keyof PredictionScalars)[];
  const at = Object.fromEntries(names.map((name) => [name, column(name, [rows.length, 1, 1, 1])]));
  return { time: column('time', [rows.length]), at: at as PredictionScalars };
}

/** "Anything" for every picture of a batch. */
function nothingBatch({ nothing }: ConditionSource, tensors: HostBatch['tensors']): HostBatch['tensors'] {
  return Object.fromEntries(
    Object.entries(nothing).map(([name, one]) => {
      const { data, shape } = tensors[name]!;
      const all = data.slice();
      for (let at = 0; at < all.length; at += one.length) all.set(one, at);
      return [name, { data: all, shape }];
    }),
  );
}
