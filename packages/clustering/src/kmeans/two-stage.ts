// From fine clusters to coarse ones.
import { checkName } from '@paris/files';
import type { Device } from '@paris/tensor';
import { balancedKMeans } from '../balance/balanced.js';
import { ClusteringError } from '../errors.js';
import type { Features } from '../feature-rows.js';
import { checkCount, checkProblem } from './check.js';
import { type KMeansOptions, type KMeansResult, kMeans } from './kmeans.js';

/** As {@link KMeansOptions}, where `clusters` is K, the number of coarse clusters. */
export interface TwoStageOptions extends Omit<KMeansOptions, 'initial'> {
  /** Fine centroids, from K to N. Default: 1,024, or one for 16 rows where those are fewer; 2 · K at least. */
  readonly fine?: number;
  /** 'auction': each coarse cluster gets equally many fine centroids. Default 'none'. */
  readonly balance?: 'none' | 'auction';
}

/** Both stages: the coarse cluster of row i is `coarse.labels[fine.labels[i]]`. */
export interface TwoStageResult {
  /** k-means of the rows: centroids [F, D], the fine cluster of each row [N]. */
  readonly fine: KMeansResult;
  /** k-means of the fine centroids: centroids [K, D], the coarse cluster of each fine one [F]. */
  readonly coarse: KMeansResult;
}

/**
 * k-means to many fine centroids, then k-means of these to K coarse ones (McAllister et al. 2025, "Decentralized
 * diffusion models", §4.1, after Ma et al. 2024, "MoDE", who balance the second stage). Every fine centroid counts once,
 * however many rows it has. A row then belongs to the coarse centroid nearest to it, or to that of its fine centroid.
 * `restarts` are those of the second stage; the first has one.
 * @throws ClusteringError as {@link kMeans} does; for fewer fine than coarse clusters
 */
export async function twoStageKMeans(
  device: Device,
  features: Features,
  dimensions: number,
  { fine, balance = 'none', restarts = 3, ...options }: TwoStageOptions,
): Promise<TwoStageResult> {
  const rows = await checkProblem('twoStageKMeans', features, dimensions, { ...options, restarts });
  checkName('twoStageKMeans', 'balance', balance, ['none', 'auction'], ClusteringError);
  const { clusters } = options;
  const many = fine ?? defaultFine(rows.count, clusters);
  checkCount('twoStageKMeans', 'fine', many);
  if (many < clusters) {
    const fix = `Give ${clusters} at least.`;
    throw new ClusteringError('twoStageKMeans', `${many} fine centroids cannot make ${clusters} clusters. ${fix}`);
  }
  const first = await kMeans(device, rows, dimensions, { ...options, clusters: many, restarts: 1 });
  const cluster = balance === 'auction' ? balancedKMeans : kMeans;
  const coarse = await cluster(device, first.centroids, dimensions, { ...options, restarts });
  return { fine: first, coarse };
}

/** 1,024 (McAllister et al. 2025), or one for 16 rows where those are fewer; 2 · K at least, N at most. */
export function defaultFine(rows: number, clusters: number): number {
  return Math.min(rows, Math.max(2 * clusters, Math.min(1024, Math.floor(rows / 16))));
}
