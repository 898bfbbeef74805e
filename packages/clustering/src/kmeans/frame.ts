// Where distances are measured from. Far from 0 they would cancel: f32 has no digits left for 10⁶ ± 50 squared.
import type { FeatureRows } from '../feature-rows.js';
import { checkReach } from './check.js';
import { type Metric, prepareRows } from './nearest.js';
import { meanRow, moved } from './rows.js';

/** Rows as k-means works on them, and its centroids as the caller wants them. */
export interface Frame {
  /** Rows [N, D] of the caller, prepared for the metric. */
  enter(rows: Float32Array): Float32Array;
  /** Centroids [K, D] that the caller gives. */
  enterCentroids(centroids: Float32Array): Float32Array;
  /** Centroids [K, D] in the caller's coordinates. */
  leave(centroids: Float32Array): Float32Array;
}

/** A batch is no longer than that, or than all rows. */
const longestBatch = 2 ** 16;

/**
 * Euclidean rows are moved so that the mean of `sample` is at 0; spherical ones have unit length and stay.
 * @throws ClusteringError, when rows are moved, for those so far from it that distances overflow
 */
export async function frameOf(sample: FeatureRows, metric: Metric): Promise<Frame> {
  if (metric === 'spherical') {
    const same = (centroids: Float32Array) => centroids;
    return { enter: (rows) => prepareRows(rows, sample.dimensions, metric), enterCentroids: same, leave: same };
  }
  const origin = await meanRow(sample);
  const { dimensions, count } = sample;
  const enter = (rows: Float32Array) => checkReach(moved(rows, origin, -1), dimensions, Math.max(count, longestBatch));
  return { enter, enterCentroids: enter, leave: (centroids) => moved(centroids, origin, 1) };
}
