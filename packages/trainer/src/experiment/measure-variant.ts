// What is measured of one trained variant: held-out losses of each way to route, and pictures drawn by each.

import { copyingTest } from '@paris/clustering';
import { type FileSource, type FileStore, readJson } from '@paris/files';
import { oracle, type RoutingPolicy } from '@paris/router';
import { loadModel, type Pipeline, type RgbImage } from '@paris/sampler';
import { type Device, type Key, key } from '@paris/tensor';
import * as z from 'zod/mini';
import { readLabelled } from '../data/files.js';
import { listItems, pickItems } from '../data/items.js';
import { byTime, estimate, type Measurements, namedPolicy, policyWeights, weightedLosses } from '../evaluate/arms.js';
import { conditionAccuracy } from '../evaluate/condition.js';
import { modelCost, pictureCost } from '../evaluate/cost.js';
import { pictureDistances } from '../evaluate/distances.js';
import { draw, openPipeline } from '../evaluate/draw.js';
import { measure, modelCondition } from '../evaluate/measure.js';
import { drawnRows, featuresOf, type RealPictures, someRows } from '../evaluate/real-pictures.js';
import { scoreRouter } from '../evaluate/router-score.js';
import { subjectsOf } from '../evaluate/subjects.js';
import { untrainedModel } from '../evaluate/untrained.js';
import { experimentAlignment } from './alignment.js';
import type { Design, Variant } from './design.js';

/** Numbers by the name of what they measure. */
export type Values = { [metric: string]: number };

/** What is measured of a variant at one seed. Nothing in it depends on the clock. */
export interface Measured {
  version: 1;
  /** Of the variant as a whole. */
  variant: Values;
  /** By arm. */
  arms: { [arm: string]: Values };
  /** Held-out loss by noise level, by arm. */
  curves: { [arm: string]: number[] };
}

const values = z.record(z.string(), z.number());
const measuredSchema: z.ZodMiniType<Measured> = z.object({
  version: z.literal(1),
  variant: values,
  arms: z.record(z.string(), values),
  curves: z.record(z.string(), z.array(z.number())),
});

/** Where the pieces of a variant are, and how far measuring is heard of. */
export interface MeasureVariantOptions {
  device: Device;
  design: Design;
  variant: Variant;
  seed: number;
  model: FileSource;
  /** Partitioned as the model was. */
  data: FileSource;
  real: RealPictures;
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws what loading and sampling throw; the signal's reason when it is aborted */
export async function measureVariant(options: MeasureVariantOptions): Promise<Measured> {
  const { variant, design, onProgress } = options;
  const parts = variant.arms.length * (design.measuring.refine ? 3 : 1) + 1;
  const part = (at: number) => (done: number, total: number) => onProgress?.(at + done / total, parts);
  const measured: Measured = { version: 1, variant: {}, arms: {}, curves: {} };
  await measureLosses(options, measured, part(0));
  await measurePictures(options, measured, part);
  return measured;
}

/** Held-out losses, the router, and which experts are picked. */
async function measureLosses(
  { device, design, variant, seed, model, data, signal }: MeasureVariantOptions,
  measured: Measured,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const test = await readLabelled(data, 'test');
  const loaded = await loadModel(model, { device, signal });
  let m: Measurements;
  try {
    const times = Array.from({ length: design.measuring.times }, (_, i) => (i + 0.5) / design.measuring.times);
    const batchSize = Math.min(32, test.manifest.count);
    m = await measure({
      device,
      model: loaded,
      condition: modelCondition(loaded),
      data: test,
      times,
      noise: noiseKey(seed),
      batchSize,
      onProgress,
      signal,
    });
  } finally {
    await loaded.close();
  }
  const { count, clusters } = m;
  for (const { name, routing } of variant.arms) {
    const policy = policyOf(routing, test.labels, clusters);
    const weights = policyWeights(m, policy, routingKey(seed));
    const losses = weightedLosses(m, weights);
    const running = weights.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0) / (weights.length / clusters);
    measured.arms[name] = { loss: estimate(losses, count).mean, experts: running };
    measured.curves[name] = byTime(losses, count);
  }
  if (clusters === 1) return;
  const { accuracy, balancedAccuracy, calibrationError, crossEntropy, majorityShare } = scoreRouter(m, test.labels);
  Object.assign(measured.variant, {
    ...{ routerAccuracy: accuracy, balancedAccuracy, majorityShare, crossEntropy, calibrationError },
    ...experimentAlignment(m, namedPolicy('top2', clusters), routingKey(seed)),
  });
}

/** Pictures of each arm against the held-out ones. */
async function measurePictures(
  options: MeasureVariantOptions,
  measured: Measured,
  part: (at: number) => (done: number, total: number) => void,
): Promise<void> {
  const { device, design, variant, seed, model, real, signal } = options;
  const { pictures, sampleSteps: steps, refine } = design.measuring;
  const rows = drawnRows(real.test, pictures, key(seed).foldIn(5));
  const pipeline = await openPipeline(model, real.drawnSize, { device, signal });
  try {
    const cost = await modelCost(model, pipeline.index);
    const labels = rows.map((row) => real.test.labels[row]!);
    let at = 1;
    for (const { name, routing } of variant.arms) {
      const policy = policyOf(routing, labels, variant.clusters);
      const drawn = await drawArm(pipeline, { ...options, rows, routing: policy, steps, onProgress: part(at++) });
      const own = cost && pictureCost(cost, drawn.weights, drawn.sides);
      Object.assign(measured.arms[name]!, {
        ...(own && { gigaflops: own.flops / 1e9, megabytes: own.bytes / 1e6, expertsDrawing: own.experts }),
        ...(await pictureValues(real, drawn.images, rows, seed)),
      });
      if (!refine) continue;
      const progress = part(at);
      const finer = await drawArm(pipeline, {
        ...options,
        rows,
        routing: policy,
        steps: 2 * steps,
        onProgress: progress,
      });
      at += 2;
      measured.arms[name]!.refinement = rootMeanSquare(drawn.images, finer.images);
    }
  } finally {
    await pipeline.close();
  }
}

/** What distances say of pictures; the same for the bounds that a model is compared with. */
async function pictureValues(
  real: RealPictures,
  images: readonly RgbImage[],
  rows: readonly number[],
  seed: number,
): Promise<Values> {
  const features = await featuresOf(real, images);
  const { dimensions } = real.encoder;
  const condition = await conditionAccuracy(real, features, rows, key(seed).foldIn(2));
  const { nearer, pValue } = copyingTest(real.learned, features, real.heldOut, dimensions);
  return {
    ...distanceValues(real, features, seed),
    ...(condition && { condition: condition.drawn }),
    nearer,
    copying: pValue,
  };
}

function distanceValues({ heldOut, encoder }: RealPictures, features: Float32Array, seed: number): Values {
  const { kernel, slicedWasserstein, frechet, clippedDensity, clippedCoverage } = pictureDistances(
    heldOut,
    features,
    encoder.dimensions,
    seed,
  );
  return { kernel: kernel.mean, slicedWasserstein, frechet, clippedDensity, clippedCoverage };
}

/** The bounds of a seed: as many training pictures, and as many pictures of a model without training. */
export async function measureBounds(options: Omit<MeasureVariantOptions, 'data'>): Promise<Measured> {
  const { device, design, seed, real, model, signal, onProgress } = options;
  const { pictures, sampleSteps: steps } = design.measuring;
  const rows = drawnRows(real.test, pictures, key(seed).foldIn(5));
  const floor = someRows(real.learned, real.encoder.dimensions, pictures, key(seed).foldIn(1));
  const pipeline = await openPipeline(await untrainedModel(model, { device, seed, signal }), real.drawnSize, {
    device,
    signal,
  });
  try {
    const drawn = await drawArm(pipeline, { ...options, rows, routing: 'full', steps, onProgress });
    const arms = {
      'training pictures': distanceValues(real, floor, seed),
      'untrained model': await pictureValues(real, drawn.images, rows, seed),
    };
    return { version: 1, variant: {}, arms, curves: {} };
  } finally {
    await pipeline.close();
  }
}

interface DrawArm extends Pick<MeasureVariantOptions, 'design' | 'seed' | 'model' | 'real' | 'signal' | 'onProgress'> {
  rows: readonly number[];
  routing: RoutingPolicy | string;
  steps: number;
}

async function drawArm(pipeline: Pipeline, { rows, real, seed, model, routing, steps, ...options }: DrawArm) {
  const items = await listItems(pickItems(real.test.items, rows));
  const subjects = await subjectsOf(model, items);
  const guidance = subjects.guided ? options.design.measuring.guidance : 1;
  const { signal, onProgress } = options;
  const drawn = await draw(pipeline, subjects, { seed, steps, guidance, routing, signal, onProgress });
  return { ...drawn, sides: guidance === 1 ? 1 : 2 };
}

/** How far pictures are from those of twice the steps, of a range of 1. */
function rootMeanSquare(a: readonly RgbImage[], b: readonly RgbImage[]): number {
  let [sum, count] = [0, 0];
  for (const [i, { data }] of a.entries()) {
    for (const [at, value] of data.entries()) sum += ((value - b[i]!.data[at]!) / 255) ** 2;
    count += data.length;
  }
  return Math.sqrt(sum / count);
}

function policyOf(routing: string, labels: ArrayLike<number>, clusters: number): RoutingPolicy {
  return routing === 'oracle' ? oracle(labels) : namedPolicy(routing, clusters);
}

/** The same noise for every variant of a seed, so that they can be compared in pairs. */
const noiseKey = (seed: number): Key => key(seed).split(3)[0]!;
const routingKey = (seed: number): Key => key(seed).split(3)[2]!;

/** What was measured before; undefined where it was not. */
export async function readMeasured(store: FileStore, path: string): Promise<Measured | undefined> {
  return (await store.exists(path)) ? readJson(store, path, measuredSchema, 'experiment') : undefined;
}
