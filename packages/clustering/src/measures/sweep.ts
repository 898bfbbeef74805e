// How many clusters? The same pictures with several K, side by side.
import type { Device } from '@paris/tensor';
import { ClusteringError } from '../errors.js';
import type { Features } from '../feature-rows.js';
import { type KMeansOptions, kMeans } from '../kmeans/kmeans.js';
import { type Information, mutualInformation } from './information.js';
import { type ClusterQuality, clusterQuality } from './quality.js';

/** One K of a sweep. */
export interface SweepRow extends ClusterQuality {
  /** K */
  readonly clusters: number;
  /** Σ of the squared distances to the nearest centroid; it falls with K. */
  readonly inertia: number;
  /** Of clusters and the given label. */
  readonly information?: Information;
}

/**
 * k-means with each number of clusters, and its measures. Silhouette and Davies–Bouldin can be compared
 * between different K, inertia and mutual information cannot: they always improve with more clusters.
 * @param features - [N, dimensions]
 * @param counts - the K to try, each from 1 to N
 * @param options - as of {@link kMeans}; `labels` [N] adds the mutual information with them; `onRow` hears of each K
 * @throws ClusteringError as {@link kMeans} does; for no K at all
 */
export async function sweepClusters(
  device: Device,
  features: Features,
  dimensions: number,
  counts: readonly number[],
  options: Omit<KMeansOptions, 'clusters' | 'initial'> & {
    readonly labels?: ArrayLike<number | string>;
    readonly onRow?: (row: SweepRow) => void;
  } = {},
): Promise<SweepRow[]> {
  if (counts.length === 0) throw new ClusteringError('sweepClusters', 'there is no K to try. Give one at least.');
  const { labels: given, onRow, ...kMeansOptions } = options;
  const { metric, seed } = options;
  const rows: SweepRow[] = [];
  for (const clusters of counts) {
    const { labels, inertia } = await kMeans(device, features, dimensions, { ...kMeansOptions, clusters });
    const quality = await clusterQuality(features, dimensions, labels, {
      clusters,
      ...(metric ? { metric } : {}),
      ...(seed === undefined ? {} : { seed }),
    });
    const row = { clusters, inertia, ...quality, ...(given ? { information: mutualInformation(labels, given) } : {}) };
    rows.push(row);
    onRow?.(row);
  }
  return rows;
}
