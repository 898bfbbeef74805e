// Where k-means starts. Random choices are drawn on the host, so that a seed means the same everywhere.
import type { Device, Key, Tensor } from '@paris/tensor';
import { drawIndex, draws, drawWeighted } from '../draws.js';
import { allRows, type FeatureRows, gatherRows } from '../feature-rows.js';
import { roundingOf, tooFew } from './check.js';
import { type Metric, nearest } from './nearest.js';

/** How the first centroids are chosen. */
export type Seeding = 'k-means++' | 'random';

/** What is to be seeded: rows [N, D], prepared for the metric. */
export interface SeedingProblem {
  readonly device: Device;
  readonly rows: FeatureRows;
  readonly clusters: number;
  readonly metric: Metric;
}

/** Rows that k-means++ looks at: beyond that a sample, since each centroid takes a pass over them. */
const mostSeedingRows = 16_384;

/**
 * Centroids [K, D] to start from.
 * - 'random': K different rows, each equally likely.
 * - 'k-means++' (Arthur & Vassilvitskii 2007): each next centroid is a row drawn in proportion to its squared distance
 *   to the nearest one so far; of more than 16,384 rows, among as many drawn at random.
 * @throws ClusteringError for fewer different rows than clusters ('k-means++')
 */
export async function seedCentroids(problem: SeedingProblem, seeding: Seeding, key: Key): Promise<Float32Array> {
  const { rows, clusters } = problem;
  const next = draws(key);
  if (seeding === 'random') return gatherRows(rows, sampleNumbers(rows.count, clusters, next));
  const most = Math.max(mostSeedingRows, clusters);
  return seedPlusPlus(problem, rows.count > most ? sampleNumbers(rows.count, most, next) : undefined, next);
}

/** `count` different numbers below `rows`, each equally likely, in random order: the first of a Fisher–Yates shuffle. */
export function sampleNumbers(rows: number, count: number, next: () => number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  for (let k = 0; k < count; k++) {
    const j = k + drawIndex(next, rows - k);
    [order[k], order[j]] = [order[j]!, order[k]!];
  }
  return order.slice(0, count);
}

/** Of the rows of these numbers, or of all. They are on the device only: each centroid is read again. */
async function seedPlusPlus(
  { device, rows, clusters, metric }: SeedingProblem,
  numbers: Uint32Array | undefined,
  next: () => number,
): Promise<Float32Array> {
  const { dimensions } = rows;
  const count = numbers?.length ?? rows.count;
  const distancesTo = device.compile((all: Tensor, one: Tensor) => nearest(all, one).distances);
  using data = device.tensor(numbers ? await gatherRows(rows, numbers) : await allRows(rows), {
    shape: [count, dimensions],
  });
  const rounding = roundingOf(metric);
  const centroids = new Float32Array(clusters * dimensions);
  const smallest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  let chosen = drawIndex(next, count);
  for (let k = 0; k < clusters; k++) {
    const row = await gatherRows(rows, Uint32Array.of(numbers?.[chosen] ?? chosen));
    centroids.set(row, k * dimensions);
    if (k === clusters - 1) break;
    using centroid = device.tensor(row, { shape: [1, dimensions] });
    using distances = await distancesTo(data, centroid);
    for (const [i, distance] of ((await distances.read()) as Float32Array).entries()) {
      smallest[i] = Math.min(smallest[i]!, distance <= rounding ? 0 : distance);
    }
    chosen = drawWeighted(smallest, next);
    if (chosen === -1) throw tooFew(k + 1, clusters, 'different pictures');
  }
  return centroids;
}
