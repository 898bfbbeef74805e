// The JSON files of a data folder: what `prepare` writes (manifest.json) and what `partition` makes of it.
import { limits } from '@paris/model/transformer';
import * as z from 'zod/mini';
import { type Encodings, encodingFields, encodingsOf } from './encodings.js';

/** One picture of a data folder. */
export interface DataItem {
  /** The file it came from, relative to the source folder; unique. */
  id: string;
  caption: string;
  /**
   * Pictures of one group (the same emoji of two vendors, one picture in two formats) are never on both sides of the hold-out
   * split. Near-copies share one.
   */
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

/** Element types of columns. */
export type ColumnDType = 'u8' | 'u32' | 'i32' | 'f16' | 'f32';

/** One column of a data folder: a tensor [N, …shape] in its safetensors files. */
export interface ColumnFormat {
  dtype: ColumnDType;
  /** Of one record; `[]` is one number. */
  shape: number[];
}

/**
 * What records look like; the same for every folder of one partition. `size` and `channels` are those of the column `images`; next
 * to latents these may be smaller pictures to look at, see `networkInput`.
 */
export interface DataFormat extends Encodings {
  /** Edge length in pixels. */
  size: number;
  channels: number;
  /** Token ids a caption is cut or padded to. */
  maxTokens: number;
  normalization: Normalization;
  /** Word of each token id; 0 is padding (and the unconditional prompt), 1 is any word that is not in the list. */
  vocabulary: string[];
  /** The columns by name, of version 2. Without it, they are `images` u8 [C, S, S] and `tokens` u32 [L]. */
  columns?: { [name: string]: ColumnFormat } | undefined;
}

/** What experts and routers see: latents where there are some, else pictures. */
export function networkInput({ channels, size, latents }: DataFormat): { channels: number; size: number } {
  return latents ? { channels: latents.channels, size: latents.height } : { channels, size };
}

/** Whether records of both look alike, so that one network takes either: sizes, words, and what was encoded by what. */
export function isSameFormat(a: DataFormat, b: DataFormat): boolean {
  const parts = ({ size, channels, vocabulary, latents, text, classes }: DataFormat) =>
    JSON.stringify([size, channels, vocabulary, latents ?? null, text ?? null, classes ?? null]);
  return parts(a) === parts(b);
}

/** The format of a manifest, and nothing else of it. */
export function formatOf(manifest: DataFormat): DataFormat {
  const { size, channels, maxTokens, normalization, vocabulary, columns } = manifest;
  const plain = { size, channels, maxTokens, normalization, vocabulary };
  return { ...plain, ...(columns && { columns }), ...encodingsOf(manifest) };
}

/** One file of records, or of what is said of them, named in the folder that it is in. */
export interface ShardFile {
  /** `images-00000.safetensors` */
  file: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/**
 * 1: one file with pixels and token ids. 2: `columns` may say what the columns are, `shards` in which files they are. 3: they are
 * in several files, and what is said of each picture in `itemFiles`, not in `items`.
 */
export type FormatVersion = 1 | 2 | 3;

/** What says in which files the records are, and what is said of them. */
export interface Sharded {
  /** In the order of the rows. Without it, all are in images.safetensors. */
  shards?: ShardFile[] | undefined;
  /** SHA-256 of images.safetensors, where that is all. Absent in folders that were written before it was. */
  sha256?: string | undefined;
  /** Files of JSON lines, `items-00000.jsonl` and so on: a line of each picture, in the order of the rows. Of version 3. */
  itemFiles?: ShardFile[] | undefined;
}

/** A JSON file that describes records. */
export interface Described extends DataFormat, Sharded {
  version: FormatVersion;
  count: number;
  items?: DataItem[] | undefined;
}

/** What a folder says of one picture. */
export type ItemOf<M extends Described> = NonNullable<M['items']>[number];

/** The file of records that fit into one. */
export const IMAGES = 'images.safetensors';

/** The files that a JSON file describes, next to it. */
export function filesOf({ shards, itemFiles = [] }: Sharded): string[] {
  const said = itemFiles.map(({ file }) => file);
  return [...(shards ? shards.map(({ file }) => file) : [IMAGES]), ...said];
}

/** A picture of a prepared folder, and on which side of the hold-out split it is. */
export interface ManifestItem extends DataItem {
  split: 'train' | 'test';
}

/** `manifest.json`: all pictures, and which of them are held out. Row i of the columns is item i. */
export interface Manifest extends Described {
  holdout: { fraction: number; seed: number; by: 'group' };
  /** Absent in version 3, where it is in `itemFiles`: `manifestItems` reads it in either case. */
  items?: ManifestItem[] | undefined;
  /** Files that could not be used, and why. */
  skipped: { file: string; reason: string }[];
  /** Sets of ids of pictures that look the same, mirrored ones too: each set is in one group. Absent where there is none. */
  nearCopies?: string[][] | undefined;
}

/** A picture in a cluster's folder. */
export interface ClusterItem extends DataItem {
  /** Copied in from another cluster; which one is not said. */
  outOfCluster?: boolean | undefined;
}

/** `cluster.json`: all that the training of one expert may know. It says nothing of any other cluster. */
export interface ClusterManifest extends Described {
  cluster: number;
  seed: number;
  /** SHA-256 of the centroids: experts assembled into one model must agree on it. */
  partition: string;
  /** The share of pictures from other clusters that was asked for; they are marked, and the last of the items. */
  outOfCluster: number;
  /** Absent in version 3: `readCluster` gives it in either case. */
  items?: ClusterItem[] | undefined;
}

/** A picture in a folder where clusters are mixed. */
export interface LabelledItem extends DataItem {
  cluster: number;
}

/** `router/router.json` and `test/test.json`: pictures of all clusters, with the cluster of each. */
export interface LabelledManifest extends Described {
  clusters: number;
  seed: number;
  partition: string;
  /** Absent in version 3: `readLabelled` gives it in either case. */
  items?: LabelledItem[] | undefined;
}

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const count = z.int().check(z.gte(0));
/** One schema for the seeds of all commands: what `key()` takes. */
const seed = z.int().check(z.gte(0));
const clusters = z.int().check(z.gte(1), z.lte(limits.clusters));
const item = {
  id: z.string(),
  caption: z.string(),
  group: z.string(),
  category: z.optional(z.string()),
  licence: z.optional(z.string()),
  source: z.optional(z.string()),
};
const version = z.union([z.literal(1), z.literal(2), z.literal(3)]);
const column = z.object({
  dtype: z.enum(['u8', 'u32', 'i32', 'f16', 'f32']),
  shape: z.array(z.int().check(z.gte(1), z.lte(limits.rows))).check(z.maxLength(4)),
});
const files = (name: RegExp) =>
  z.optional(
    z.array(
      z.object({
        file: z.string().check(z.regex(name)),
        rows: z.int().check(z.gte(1)),
        bytes: z.int().check(z.gte(1)),
        sha256: hash,
      }),
    ),
  );
const shards = files(/^images-\d{5,}\.safetensors$/);
const itemFiles = files(/^items-\d{5,}\.jsonl$/);
const format = {
  size: z.int().check(z.gte(1), z.lte(limits.pixels)),
  channels: z.int().check(z.gte(1), z.lte(limits.pixels)),
  maxTokens: z.int().check(z.gte(1), z.lte(limits.tokens)),
  normalization: z.object({ scale: z.number().check(z.gt(0)), offset: z.number() }),
  vocabulary: z.array(z.string()).check(z.maxLength(limits.rows)),
  columns: z.optional(z.record(z.string().check(z.regex(/^[a-z][a-z0-9_-]{0,63}$/)), column)),
  ...encodingFields,
};

/** What is said of a picture, by the kind of folder. */
export const manifestItemSchema: z.ZodMiniType<ManifestItem> = z.object({ ...item, split: z.enum(['train', 'test']) });
export const clusterItemSchema: z.ZodMiniType<ClusterItem> = z.object({
  ...item,
  outOfCluster: z.optional(z.boolean()),
});
export const labelledItemSchema: z.ZodMiniType<LabelledItem> = z.object({ ...item, cluster: count });

export const manifestSchema: z.ZodMiniType<Manifest> = z.object({
  version,
  ...format,
  count,
  holdout: z.object({ fraction: z.number(), seed, by: z.literal('group') }),
  shards,
  sha256: z.optional(hash),
  items: z.optional(z.array(manifestItemSchema)),
  itemFiles,
  skipped: z.array(z.object({ file: z.string(), reason: z.string() })),
  nearCopies: z.optional(z.array(z.array(z.string()))),
});

export const clusterSchema: z.ZodMiniType<ClusterManifest> = z.object({
  version,
  cluster: z.int().check(z.gte(0), z.lt(limits.clusters)),
  ...format,
  count,
  seed,
  partition: z.string(),
  outOfCluster: z.number(),
  shards,
  sha256: z.optional(hash),
  items: z.optional(z.array(clusterItemSchema)),
  itemFiles,
});

export const labelledSchema: z.ZodMiniType<LabelledManifest> = z.object({
  version,
  clusters,
  ...format,
  count,
  seed,
  partition: z.string(),
  shards,
  sha256: z.optional(hash),
  items: z.optional(z.array(labelledItemSchema)),
  itemFiles,
});
