// Measures a model on pictures that no training saw.
import { randomPartitionControl } from '@paris/clustering';
import type { FileSource } from '@paris/files';
import type { Architecture, Codec, Expert, Router, TextEncoder } from '@paris/model';
import { oracle, parseRoutingPolicy } from '@paris/router';
import { loadModel } from '@paris/sampler';
import { type Device, type Key, key, ValueError } from '@paris/tensor';
import { readLabelled } from '../data/files.js';
import { categoriesOf, mapItems } from '../data/items.js';
import { DataError } from '../errors.js';
import {
  byTime,
  derangement,
  estimate,
  expertLosses,
  type Losses,
  type Measurements,
  namedPolicy,
  pairedDifference,
  policyLosses,
} from './arms.js';
import type { Estimate, Evaluation, SemanticsResult } from './evaluation.js';
import { assertFits, assertSameParts } from './fits.js';
import { measure, modelCondition } from './measure.js';
import { scoreRouter } from './router-score.js';
import { type LabelledData, withoutClusters } from './without-clusters.js';

/** Your own architectures, in addition to `dit`, `router-transformer` and those of `@paris/encoders`. */
export interface Architectures {
  experts?: readonly Architecture<Expert>[];
  routers?: readonly Architecture<Router>[];
  codecs?: readonly Architecture<Codec>[];
  textEncoders?: readonly Architecture<TextEncoder>[];
}

/** Which model is measured on which pictures, with which policies and at how many noise levels. */
export interface EvaluateOptions {
  device: Device;
  model: FileSource;
  /** The data folder; `test` and `router` of it are opened. */
  data: FileSource;
  /** Routing policies to compare. Default top1, top2, full; top2 is always among them. */
  compare?: readonly string[];
  /** Decides the noise and the permutations. Default 0. */
  seed?: number;
  /** Noise levels, at the midpoints of as many parts of [0, 1]. Default 20. */
  timeCount?: number;
  /** Pictures at once. Default 32. */
  batchSize?: number;
  architectures?: Architectures;
  /** Called after each noise level of each batch; `total` counts all of them. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Measures router and mixture on the held-out pictures: every arm sees the same pictures, times and noise. A model of one expert
 * is measured on data of any number of clusters: all of it is its own.
 * @throws DataError without held-out pictures, or if the model and the data have different clusters
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const {
    device,
    compare = ['top1', 'top2', 'full'],
    seed = 0,
    timeCount = 20,
    batchSize = 32,
    onProgress,
    signal,
  } = options;
  if (!Number.isInteger(timeCount) || timeCount < 1)
    throw new ValueError('evaluate', `timeCount is ${timeCount}. Give 1 or more.`);
  const names = [...new Set(['top2', ...compare])];
  for (const name of names) parseRoutingPolicy(name); // said now, not after all has been measured
  const held = await readLabelled(options.data, 'test');
  if (held.manifest.count < 2) throw tooFew(held.manifest.count);
  const { experts: architectures = [], ...parts } = options.architectures ?? {};
  const model = await loadModel(options.model, { device, architectures, ...parts, signal });
  try {
    const { clusters } = model.index;
    const all = inClusters(held, clusters);
    assertFits('evaluate', model, all.manifest);
    await assertSameParts('evaluate', options.model, model, all.manifest, parts);
    const { absent } = model.index;
    const data = absent ? withoutClusters(all, absent) : all;
    const { labels } = data;
    const { count } = data.manifest;
    if (count < 2) throw tooFew(count);
    const times = Array.from({ length: timeCount }, (_, i) => (i + 0.5) / timeCount);
    const [noise, permutation, routing] = key(seed).split(3);
    const m = await measure({
      ...{ device, model, data, times, noise: noise!, signal },
      condition: modelCondition(model),
      batchSize: Math.min(batchSize, count),
      ...(onProgress && { onProgress }),
    });

    const semantics = all === held ? await semanticsOf(options.data, data, seed) : undefined;
    return {
      version: 1,
      count,
      clusters,
      ...(absent && { absent: [...absent] }),
      seed,
      times,
      router: scoreRouter(m, labels),
      ...compareArms(m, { labels, absent: absent ?? [], names, permutation: permutation!, routing: routing! }),
      ...(semantics && { semantics }),
    };
  } finally {
    await model.close();
  }
}

/** What decides the arms in addition to the measurements. */
interface Arms {
  /** The cluster of each picture. */
  labels: Uint32Array;
  absent: readonly number[];
  /** Policies, `top2` among them. */
  names: readonly string[];
  permutation: Key;
  routing: Key;
}

/** Experts alone, policies, and the controls: weights of other pictures, and each picture's own cluster. */
function compareArms(
  m: Measurements,
  { labels, absent, names, permutation, routing }: Arms,
): Pick<Evaluation, 'losses' | 'differences'> {
  const { count, clusters } = m;
  const of = (losses: Losses): Estimate => estimate(losses, count);
  const experts = Array.from({ length: clusters }, (_, k) => expertLosses(m, k));
  const expertEstimates = experts.map(of);
  const present = [...experts.keys()].filter((k) => !absent.includes(k));
  const bestExpert = present.reduce((best, k) => (expertEstimates[k]!.mean < expertEstimates[best]!.mean ? k : best));
  const policies = new Map(names.map((name) => [name, policyLosses(m, namedPolicy(name, clusters), routing)]));
  const top2 = policies.get('top2')!;
  const permuted = policyLosses(m, namedPolicy('top2', clusters), routing, derangement(count, permutation));
  const own = policyLosses(m, oracle(labels), routing);
  const arms: (readonly [string, Losses])[] = [
    ...policies,
    ['best expert', experts[bestExpert]!],
    ['permuted', permuted],
    ['oracle', own],
  ];
  return {
    losses: {
      experts: expertEstimates,
      bestExpert,
      policies: Object.fromEntries([...policies].map(([name, losses]) => [name, of(losses)])),
      permuted: of(permuted),
      oracle: of(own),
      byTime: Object.fromEntries(arms.map(([name, losses]) => [name, byTime(losses, count)])),
    },
    differences: {
      'top2 − best expert': pairedDifference(top2, experts[bestExpert]!, count),
      'top2 − permuted': pairedDifference(top2, permuted, count),
    },
  };
}

function tooFew(count: number): DataError {
  return new DataError('evaluate', `${count} held-out pictures are too few. Prepare with a larger --holdout.`);
}

/** The pictures as a model of so many experts has them. @throws DataError if it has another number of clusters */
function inClusters(data: LabelledData, clusters: number): LabelledData {
  if (clusters === 1) return asOneCluster(data);
  if (clusters === data.manifest.clusters) return data;
  const what = `the model has ${clusters} experts, the data ${data.manifest.clusters} clusters`;
  throw new DataError('evaluate', `${what}. Give its own data.`);
}

/** The same pictures, all in cluster 0. */
function asOneCluster(data: LabelledData): LabelledData {
  if (data.manifest.clusters === 1) return data;
  const manifest = { ...data.manifest, clusters: 1, items: undefined };
  const items = mapItems(data.items, (item) => ({ ...item, cluster: 0 }));
  return { ...data, manifest, items, labels: data.labels.map(() => 0) };
}

/** Clusters and categories, on held-out and on training pictures; undefined where pictures have no category. */
async function semanticsOf(store: FileSource, test: LabelledData, seed: number): Promise<Evaluation['semantics']> {
  const heldOut = await semanticsOn(test, seed);
  const training = heldOut && (await semanticsOn(await readLabelled(store, 'router'), seed));
  return heldOut && training && { heldOut, training };
}

async function semanticsOn({ items, labels }: LabelledData, seed: number): Promise<SemanticsResult | undefined> {
  const found = await categoriesOf(items);
  const known = [...found.keys()].filter((row) => found[row] !== undefined);
  const categories = known.map((row) => found[row]!);
  const distinct = new Set(categories).size;
  if (distinct < 2) return undefined;
  const { nats, threshold, partitions, semantic } = randomPartitionControl(
    known.map((row) => labels[row]!),
    categories,
    { seed },
  );
  return { categories: distinct, nats, threshold, partitions, semantic };
}
