// What a partition is made of: the centroids and everything needed to place a new picture in the same way.
// On disk: `partition.json` and `centroids.safetensors` (`centroids` f32 [K, D]; with fine ones also `fine` f32 [F, D] and
// `coarse` u32 [F]).
import * as z from 'zod/mini';
import type { EncoderParameters } from '../encoder/encoder.js';
import type { Metric } from '../kmeans/nearest.js';
import type { Seeding } from '../kmeans/seeding.js';

/**
 * How a picture gets its cluster.
 * - 'nearest-centroid': that of the nearest coarse centroid, the lower index of equals (McAllister et al. 2025, §4.1)
 * - 'fine-to-coarse': that which the nearest fine centroid belongs to (Ma et al. 2024)
 * - 'random': drawn from its bytes and the seed, every cluster equally likely: the control in McAllister et al. 2025
 */
export type Assignment = 'nearest-centroid' | 'fine-to-coarse' | 'random';

/** The names of the rules. */
export const assignments: readonly Assignment[] = ['nearest-centroid', 'fine-to-coarse', 'random'];

/** One run of k-means, the restart that was kept. */
export interface PartitionStage {
  readonly method: 'k-means' | 'balanced-k-means';
  /** What was clustered. */
  readonly of: 'pictures' | 'fine-centroids';
  readonly clusters: number;
  /** Absent where a manifest of version 1 did not say. */
  readonly seeding?: Seeding | undefined;
  readonly restarts: number;
  readonly restart: number;
  readonly iterations: number;
  readonly inertia: number;
}

/** `partition.json`. */
export interface PartitionManifest {
  readonly version: 2;
  /** The number of clusters, K. */
  readonly clusters: number;
  readonly encoder: { readonly name: string; readonly dimensions: number; readonly parameters: EncoderParameters };
  readonly metric: Metric;
  readonly assignment: Assignment;
  readonly seed: number;
  /** 'auction': the last stage made clusters of equal size while it trained. Assignment is never balanced. */
  readonly balance: 'none' | 'auction';
  /** How the centroids were made, in order; none for a random partition. */
  readonly stages: readonly PartitionStage[];
  /** Pictures a cluster that the centroids were made from, [K]. */
  readonly sizes: readonly number[];
}

/** A manifest with its centroids. */
export interface Partition extends PartitionManifest {
  /** [K, D]; of a random partition the mean features of each cluster. */
  readonly centroids: Float32Array;
  /** Fine centroids [F, D] and the cluster of each [F]; where `assignment` is 'fine-to-coarse'. */
  readonly fine?: { readonly centroids: Float32Array; readonly clusters: Uint32Array };
}

const count = z.int().check(z.gte(0));
const positive = z.int().check(z.gte(1));
const kept = { restarts: positive, restart: count, iterations: count, inertia: z.number() };
const common = {
  clusters: z.int().check(z.gte(1), z.lte(4096)), // experts of a model
  encoder: z.object({
    name: z.string(),
    dimensions: z.int().check(z.gte(1), z.lte(65_536)),
    parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  }),
  metric: z.enum(['spherical', 'euclidean']),
  seed: count,
  sizes: z.array(count),
};

export const partitionSchema: z.ZodMiniType<PartitionManifest> = z.object({
  version: z.literal(2),
  ...common,
  assignment: z.enum(assignments),
  balance: z.enum(['none', 'auction']),
  stages: z.array(
    z.object({
      method: z.enum(['k-means', 'balanced-k-means']),
      of: z.enum(['pictures', 'fine-centroids']),
      clusters: z.int().check(z.gte(1), z.lte(1_000_000)),
      seeding: z.optional(z.enum(['k-means++', 'random'])),
      ...kept,
    }),
  ),
});

/** Version 1 knew one stage of k-means and the nearest centroid. */
export const partitionSchema1: z.ZodMiniType<PartitionManifest1> = z.object({
  version: z.literal(1),
  ...common,
  assignment: z.literal('nearest-centroid'),
  kMeans: z.object(kept),
});

export interface PartitionManifest1
  extends Pick<PartitionManifest, 'clusters' | 'encoder' | 'metric' | 'seed' | 'sizes'> {
  readonly version: 1;
  readonly assignment: 'nearest-centroid';
  readonly kMeans: Pick<PartitionStage, 'restarts' | 'restart' | 'iterations' | 'inertia'>;
}

/** What a manifest of version 1 says, in the words of version 2. */
export function upgradeManifest({ kMeans, ...manifest }: PartitionManifest1): PartitionManifest {
  const stage = { method: 'k-means', of: 'pictures', clusters: manifest.clusters, ...kMeans } as const;
  return { ...manifest, version: 2, balance: 'none', stages: [stage] };
}
