// From what a run's record or a job says to the training itself: the way back from `identity` in expert.ts and router.ts. What it
// reads may come from strangers, so it believes nothing of it.
import { dit } from '@paris/dit';
import { checkJson, type FileSource, memoryStore } from '@paris/files';
import type { Architecture, Expert, NoisePath, Router } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { CheckpointError, type Device } from '@paris/tensor';
import * as z from 'zod/mini';
import { DataError } from '../errors.js';
import { differenceOf, type Json, jsonObject, type RunIdentity } from '../run/record.js';
import { type ConditionName, conditionNames } from './condition-names.js';
import { conditionKind } from './conditions.js';
import { expertRecipe, type TrainExpertOptions } from './expert.js';
import type { InitialWeights } from './initial.js';
import { parseLossWeight } from './loss-weight.js';
import { learningRateSchedules, precisions, type TrainingOptions } from './options.js';
import type { Recipe } from './recipe.js';
import { routerRecipe } from './router.js';
import { parseTimeDensity } from './time-density.js';

/** What a record names and does not hold. */
export interface Named {
  /** Architectures of experts besides `dit`. */
  experts?: readonly Architecture<Expert>[] | undefined;
  /** Architectures of routers besides our transformer. */
  routers?: readonly Architecture<Router>[] | undefined;
  /** Noise paths besides the built-in ones. */
  paths?: readonly NoisePath[] | undefined;
  /** The weights that the training started from, where it started from a file. */
  initial?: InitialWeights | undefined;
}

/** Where the training runs, on what. */
export interface RecordedOn extends Named {
  device: Device;
  data: FileSource;
}

/** @throws DataError for a student, which cannot be trained again from its record alone, and for a codec */
export function assertVerifiable({ kind }: Pick<RunIdentity, 'kind'>): void {
  if (kind === 'student')
    throw new DataError('verify', 'a student learned from a model that is not here. Verify the runs of that model.');
  if (kind === 'codec')
    throw new DataError('verify', 'the training of a codec cannot be verified. Verify runs of experts and routers.');
}

/**
 * The recipe whose run has this identity.
 * @throws DataError if the data folder holds other data than it names; CheckpointError if it says what no training of ours would
 */
export async function recordedRecipe(identity: RunIdentity, on: RecordedOn): Promise<Recipe> {
  const runs = memoryStore(); // nothing is written
  assertVerifiable(identity);
  const recipe =
    identity.kind === 'expert'
      ? await expertRecipe({ ...recordedExpert(identity, on), device: on.device, data: on.data, runs })
      : await routerRecipe({ ...recordedRouter(identity, on), device: on.device, data: on.data, runs });
  const difference = differenceOf(identity, recipe.identity);
  if (!difference) return recipe;
  if (difference.path.startsWith('data.')) {
    const what = `${recipe.name} was trained on other data than this folder holds`;
    throw new DataError('verify', `${what}. Give the folder that it was to be trained on.`);
  }
  const { path, was, is } = difference;
  throw new CheckpointError('verify', `${recipe.name} says that ${path} is ${was}, and a training of ours has ${is}.`);
}

/** What `trainExpert` is to be given, beside a device and folders. @throws as {@link recordedRecipe} does */
export function recordedExpert(
  { cluster, options }: RunIdentity,
  { experts = [], paths, initial }: Named,
): Omit<TrainExpertOptions, 'device' | 'data' | 'runs'> {
  const { config, architecture, conditionDropout, condition, ...given } = checkJson(options, expertSchema, origin);
  if (given.initial !== null && !initial) {
    throw new DataError('verify', 'the training started from a file of weights. Give that file, too: --init FILE.');
  }
  return {
    cluster: cluster ?? 0,
    architecture: named([dit, ...experts], architecture),
    config: () => config,
    training: trainingOf(given),
    conditionDropout,
    times: parseTimeDensity(given.times),
    lossWeight: parseLossWeight(given.lossWeight),
    ...(given.initial !== null && { initial }),
    ...(condition !== undefined && { condition: conditionNamed(condition) }),
    ...(paths && { paths }),
  };
}

function recordedRouter({ options }: RunIdentity, { routers = [], paths }: Named) {
  const {
    config,
    architecture,
    conditionDropout = 0,
    path,
    prior,
    condition,
    from,
    ...given
  } = checkJson(options, routerSchema, origin);
  if (from !== undefined) {
    throw new DataError(
      'verify',
      'the router grew from another one, which is not here. Verify that one, and the experts.',
    );
  }
  const network = named([routerTransformer, ...routers], architecture);
  const training = trainingOf(given);
  return {
    architecture: network,
    config: () => config,
    training,
    conditionDropout,
    path,
    prior,
    ...(condition !== undefined && { condition: conditionNamed(condition) }),
    ...(paths && { paths }),
  };
}

/** The way back from `conditionKind`. */
function conditionNamed(kind: string): ConditionName {
  const found = conditionNames.find((name) => conditionKind(name) === kind);
  if (found) return found;
  throw new CheckpointError(
    'verify',
    `the record of the run names the condition ${JSON.stringify(kind)}, which there is not.`,
  );
}

/** Options that are newer than the first runs are only recorded where they are not the default. */
function trainingOf(given: z.infer<typeof recordedTraining>): Partial<TrainingOptions> {
  const { steps, batchSize, learningRate, warmupSteps, weightDecay, clipNorm, emaDecay, seed, precision } = given;
  const { accumulate = 1, schedule = 'cosine' } = given;
  const always = { steps, batchSize, learningRate, warmupSteps, weightDecay, clipNorm, emaDecay, seed, precision };
  return { ...always, accumulate, schedule };
}

function named<N>(known: readonly Architecture<N>[], name: string): Architecture<N> {
  const found = known.find(({ architecture }) => architecture === name);
  if (found) return found;
  const names = known.map(({ architecture }) => architecture).join(', ');
  throw new CheckpointError('verify', `the architecture ${JSON.stringify(name)} is not known here. Known: ${names}.`);
}

const origin = { tag: 'verify', path: 'the record of the run' };
const number = z.number();
const recordedTraining = z.object({
  steps: z.int(),
  batchSize: z.int(),
  learningRate: number,
  warmupSteps: z.int(),
  weightDecay: number,
  clipNorm: number,
  emaDecay: z.union([number, z.array(number)]),
  seed: z.int(),
  precision: z.enum(precisions),
  accumulate: z.optional(z.int()),
  schedule: z.optional(z.enum(learningRateSchedules)),
});
const network: { architecture: z.ZodMiniType<string>; config: z.ZodMiniType<{ [name: string]: Json }> } = {
  architecture: z.string(),
  config: jsonObject,
};
const expertSchema = z.extend(recordedTraining, {
  ...network,
  conditionDropout: number,
  times: z.string(),
  lossWeight: z.string(),
  initial: z.json(),
  condition: z.optional(z.string()),
});
const routerSchema = z.extend(recordedTraining, {
  ...network,
  conditionDropout: z.optional(number),
  path: z.string(),
  prior: z.enum(['natural', 'balanced']),
  condition: z.optional(z.string()),
  from: z.optional(z.json()),
});
