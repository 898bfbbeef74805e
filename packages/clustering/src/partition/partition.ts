/**
 * What a partition is made of: the centroids and everything needed to place a new picture in the same way.
 * On disk: `partition.json` and `centroids.safetensors` (key `centroids`, f32 [K, D]).
 */
import * as z from 'zod/mini';
import type { EncoderParameters } from '../encoder/encoder.js';
import type { Metric } from '../kmeans/nearest.js';

/** `partition.json`. */
export interface PartitionManifest {
  readonly version: 1;
  /** The number of clusters, K. */
  readonly clusters: number;
  readonly encoder: { readonly name: string; readonly dimensions: number; readonly parameters: EncoderParameters };
  readonly metric: Metric;
  /** How a picture gets its cluster: the nearest centroid, the lower index of equals. */
  readonly assignment: 'nearest-centroid';
  readonly seed: number;
  /** The k-means run that was kept, for the record. */
  readonly kMeans: {
    readonly restarts: number;
    readonly restart: number;
    readonly iterations: number;
    readonly inertia: number;
  };
  /** Pictures a cluster that the centroids were made from, [K]. */
  readonly sizes: readonly number[];
}

/** A manifest with its centroids, row-major [K, D]. */
export interface Partition extends PartitionManifest {
  readonly centroids: Float32Array;
}

const count = z.int().check(z.gte(0));
const positive = z.int().check(z.gte(1));

export const partitionSchema: z.ZodMiniType<PartitionManifest> = z.object({
  version: z.literal(1),
  clusters: positive,
  encoder: z.object({
    name: z.string(),
    dimensions: positive,
    parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  }),
  metric: z.enum(['spherical', 'euclidean']),
  assignment: z.literal('nearest-centroid'),
  seed: count,
  kMeans: z.object({ restarts: positive, restart: count, iterations: count, inertia: z.number() }),
  sizes: z.array(count),
});
