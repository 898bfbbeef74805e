// The JSON files of a data folder: what `prepare` writes (manifest.json) and what `partition` makes of it.
import * as z from 'zod/mini';

/** One picture of a data folder. */
export interface DataItem {
  /** The file it came from, relative to the source folder; unique. */
  id: string;
  caption: string;
  /** Pictures of one group (the same emoji of two vendors) are never on both sides of the hold-out split. */
  group: string;
  category?: string | undefined;
  licence?: string | undefined;
  source?: string | undefined;
}

/** How bytes become numbers: value = byte / scale + offset. */
export interface Normalization {
  scale: number;
  offset: number;
}

/** What pictures and captions look like; the same for every folder of one partition. */
export interface DataFormat {
  /** Edge length in pixels. */
  size: number;
  channels: number;
  /** Token ids a caption is cut or padded to. */
  maxTokens: number;
  normalization: Normalization;
  /** Word of each token id; 0 is padding (and the unconditional prompt), 1 is any word that is not in the list. */
  vocabulary: string[];
}

/** `manifest.json`: all pictures, and which of them are held out. Row i of images.safetensors is item i. */
export interface Manifest extends DataFormat {
  version: 1;
  count: number;
  holdout: { fraction: number; seed: number; by: 'group' };
  items: (DataItem & { split: 'train' | 'test' })[];
  /** Files that could not be used, and why. */
  skipped: { file: string; reason: string }[];
}

/** A picture in a cluster's folder. */
export interface ClusterItem extends DataItem {
  /** Copied in from another cluster; which one is not said. */
  outOfCluster?: boolean | undefined;
}

/** `cluster.json`: all that the training of one expert may know. It says nothing of any other cluster. */
export interface ClusterManifest extends DataFormat {
  version: 1;
  cluster: number;
  count: number;
  seed: number;
  /** SHA-256 of the centroids: experts assembled into one model must agree on it. */
  partition: string;
  /** The share of pictures from other clusters that was asked for; they are marked, and the last of the items. */
  outOfCluster: number;
  items: ClusterItem[];
}

/** `router/router.json` and `test/test.json`: pictures of all clusters, with the cluster of each. */
export interface LabelledManifest extends DataFormat {
  version: 1;
  clusters: number;
  count: number;
  seed: number;
  partition: string;
  items: (DataItem & { cluster: number })[];
}

const count = z.int().check(z.gte(0));
const item = {
  id: z.string(),
  caption: z.string(),
  group: z.string(),
  category: z.optional(z.string()),
  licence: z.optional(z.string()),
  source: z.optional(z.string()),
};
const format = {
  size: z.int().check(z.gte(1)),
  channels: z.int().check(z.gte(1)),
  maxTokens: z.int().check(z.gte(1)),
  normalization: z.object({ scale: z.number(), offset: z.number() }),
  vocabulary: z.array(z.string()),
};

export const manifestSchema: z.ZodMiniType<Manifest> = z.object({
  version: z.literal(1),
  ...format,
  count,
  holdout: z.object({ fraction: z.number(), seed: z.int(), by: z.literal('group') }),
  items: z.array(z.object({ ...item, split: z.enum(['train', 'test']) })),
  skipped: z.array(z.object({ file: z.string(), reason: z.string() })),
});

export const clusterSchema: z.ZodMiniType<ClusterManifest> = z.object({
  version: z.literal(1),
  cluster: count,
  ...format,
  count,
  seed: z.int(),
  partition: z.string(),
  outOfCluster: z.number(),
  items: z.array(z.object({ ...item, outOfCluster: z.optional(z.boolean()) })),
});

export const labelledSchema: z.ZodMiniType<LabelledManifest> = z.object({
  version: z.literal(1),
  clusters: z.int().check(z.gte(1)),
  ...format,
  count,
  seed: z.int(),
  partition: z.string(),
  items: z.array(z.object({ ...item, cluster: count })),
});
