// What is refused, before anything runs or because of what came out.
import { checkName } from '@paris/files';
import { ClusteringError } from '../errors.js';
import { type FeatureRows, type Features, featureRows, piecesOf } from '../feature-rows.js';
import type { KMeansOptions } from './kmeans.js';
import type { Metric } from './nearest.js';
import { distance } from './rows.js';

/**
 * The features as rows.
 * @throws ClusteringError for features or invalid options, naming what was called
 */
export async function checkProblem(
  tag: string,
  features: Features,
  dimensions: number,
  options: KMeansOptions,
): Promise<FeatureRows> {
  const rows = await checkRows(tag, features, dimensions);
  checkOptions(tag, dimensions, options);
  if (rows.count < options.clusters) throw tooFew(rows.count, options.clusters, 'pictures', tag);
  return rows;
}

/**
 * The features as rows.
 * @throws ClusteringError if they are not rows of so many finite numbers
 */
export async function checkRows(tag: string, features: Features, dimensions: number): Promise<FeatureRows> {
  if ('length' in features) {
    checkFeatures(tag, features, dimensions);
    return featureRows(features, dimensions);
  }
  if (features.dimensions !== dimensions) {
    const what = `the features have ${features.dimensions} dimensions, not ${dimensions}`;
    throw new ClusteringError(tag, `${what}. Give the number that they have.`);
  }
  for await (const { from, piece } of piecesOf(features)) checkFeatures(tag, piece, dimensions, from);
  return features;
}

/**
 * @param from - the number of the first picture
 * @throws ClusteringError if the features are not whole rows of finite numbers
 */
export function checkFeatures(tag: string, features: Float32Array, dimensions: number, from = 0): void {
  if (dimensions < 1 || features.length % dimensions !== 0) {
    throw new ClusteringError(tag, `${features.length} numbers are no rows of ${dimensions}. Pass [N, D] features.`);
  }
  const bad = features.findIndex((value) => !Number.isFinite(value));
  if (bad === -1) return;
  const row = from + Math.floor(bad / dimensions);
  throw new ClusteringError(tag, `feature ${bad % dimensions} of picture ${row} is ${features[bad]}. Fix the encoder.`);
}

/**
 * The rows [N, D], which are measured from their mean on the device.
 * @param count - how many squared distances are summed up at most
 * @throws ClusteringError if such a sum could be infinite in f32: the nearest centroid would be any
 */
export function checkReach(rows: Float32Array, dimensions: number, count: number): Float32Array {
  const most = Math.sqrt((2 - 2 ** -23) * 2 ** 127) / Math.sqrt(4 * dimensions * count);
  for (const value of rows) {
    if (Math.abs(value) <= most) continue;
    const far = `a feature is ${Math.abs(value).toPrecision(2)} away from the mean: squared distances overflow f32`;
    throw new ClusteringError('distances', `${far}. Scale the features down.`);
  }
  return rows;
}

/** @throws ClusteringError for counts that are not whole numbers ≥ 1, unknown names, a negative tolerance, a misshapen start */
export function checkOptions(tag: string, dimensions: number, options: KMeansOptions): void {
  for (const name of ['clusters', 'restarts', 'maxIterations'] as const) checkCount(tag, name, options[name] ?? 1);
  const { clusters, initial, tolerance = 0, metric = 'spherical', seeding = 'k-means++' } = options;
  checkName(tag, 'metric', metric, ['spherical', 'euclidean'], ClusteringError);
  checkName(tag, 'seeding', seeding, ['k-means++', 'random'], ClusteringError);
  if (initial && initial.length !== clusters * dimensions) {
    const wanted = `${clusters} × ${dimensions}`;
    throw new ClusteringError(tag, `initial has ${initial.length} numbers. Give the centroids, ${wanted}.`);
  }
  if (!(tolerance >= 0)) throw new ClusteringError(tag, `tolerance is ${tolerance}. Give a number from 0 on.`);
}

/** @throws ClusteringError for what is not a whole number ≥ 1 */
export function checkCount(tag: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new ClusteringError(tag, `${name} is ${value}. Give a whole number from 1 on.`);
}

export function tooFew(count: number, clusters: number, what: string, tag = 'kMeans'): ClusteringError {
  return new ClusteringError(
    tag,
    `${clusters} clusters need as many ${what}, got ${count}. Add pictures, or ask for fewer clusters.`,
  );
}

/** Squared distance up to which rows count as one: those that only differed in length, once they are scaled to length 1. */
export const roundingOf = (metric: Metric): number => (metric === 'spherical' ? 1e-10 : 0);

/**
 * For a search that ended with clusters of these sizes.
 * @param problem - its rows, [N, D], as the metric compares them
 * @throws ClusteringError if some are empty because there are fewer different rows than clusters
 */
export async function checkFilled(
  tag: string,
  { rows, metric }: { readonly rows: FeatureRows; readonly metric: Metric },
  sizes: readonly number[],
): Promise<void> {
  if (!sizes.includes(0)) return;
  const { dimensions } = rows;
  const different: Float32Array[] = [];
  for await (const { piece } of piecesOf(rows)) {
    for (let i = 0; i < piece.length / dimensions; i++) {
      const isNew = different.every((other) => distance(piece, i, other, 0, dimensions) ** 2 > roundingOf(metric));
      if (isNew) different.push(piece.slice(i * dimensions, (i + 1) * dimensions));
      if (different.length === sizes.length) return;
    }
  }
  throw tooFew(different.length, sizes.length, 'different pictures', tag);
}
