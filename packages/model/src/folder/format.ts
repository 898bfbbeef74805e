/**
 * A model is a folder: an index, and files that the index lists with their sizes and hashes. Nothing in it is run.
 *
 *   model_index.json
 *   experts/00/{config.json, model.safetensors} …   router/{config.json, model.safetensors}
 *   codec/config.json   text/vocabulary.json   partition/{partition.json, centroids.safetensors}
 */
import { checkJson, isPath, parseJson } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';

/** Where a model folder's index is. */
export const indexPath = 'model_index.json';

/** Files larger than this are hashed in pieces of it as well, so that a span can be checked without the rest. */
export const chunkBytes: number = 16 * 2 ** 20;

/** One file of a model, and what its bytes must be. */
export interface ModelFile {
  /** Relative to the model's folder, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  /** SHA-256 of each 16 MiB, for larger files. */
  readonly chunks?: readonly string[] | undefined;
}

/** `model_index.json`. */
export interface ModelIndex {
  readonly format: 'paris-model';
  readonly version: 1;
  /** The number of experts, K. */
  readonly clusters: number;
  /** What experts and router see. */
  readonly latent: { readonly channels: number; readonly height: number; readonly width: number };
  /** The noise path that the router was trained on and that sampling follows. */
  readonly path: string;
  /** The routing policy where none is given: `top2`, `full`, … */
  readonly routing: string;
  /** The codec's name; `identity` in pixel space. */
  readonly codec: string;
  /** SPDX expressions or prose. */
  readonly licence: string;
  /** Where the pictures came from, who is to be named, …: by topic. */
  readonly provenance: Readonly<Record<string, string>>;
  /** All other files of the folder, by path. */
  readonly files: readonly ModelFile[];
}

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const positive = z.int().check(z.gte(1));

/** Checks that JSON has the form of a {@link ModelIndex}; {@link parseModelIndex} checks the rest. */
const schema: z.ZodMiniType<ModelIndex> = z.object({
  format: z.literal('paris-model'),
  version: z.literal(1),
  clusters: positive,
  latent: z.object({ channels: positive, height: positive, width: positive }),
  path: z.string(),
  routing: z.string(),
  codec: z.string(),
  licence: z.string(),
  provenance: z.record(z.string(), z.string()),
  files: z.array(
    z.object({
      path: z.string(),
      sizeBytes: z.int().check(z.gte(0)),
      sha256: hash,
      chunks: z.optional(z.array(hash)),
    }),
  ),
});

/**
 * A checked index from the bytes of `model_index.json`.
 * @throws CheckpointError for another format, for more clusters than files, for a path that leaves the folder or stands twice, and for a file whose
 *   pieces do not make up its size
 */
export function parseModelIndex(bytes: Uint8Array): ModelIndex {
  const origin = { tag: 'loadPipeline', path: indexPath };
  const index = checkJson(parseJson(bytes, origin), schema, origin);
  const { clusters, files } = index;
  if (clusters > files.length) {
    throw new CheckpointError(
      'loadPipeline',
      `${indexPath} names ${clusters} clusters and lists fewer files (${files.length}). Assemble the model again.`,
    );
  }
  const seen = new Set<string>();
  for (const { path, sizeBytes, chunks } of files) {
    const refuse = (why: string): never => {
      throw new CheckpointError('loadPipeline', `${indexPath} lists ${JSON.stringify(path)}, ${why}`);
    };
    if (!isPath(path)) refuse('which is no path inside the model. Do not load it.');
    if (seen.has(path)) refuse('twice. Assemble the model again.');
    seen.add(path);
    if (chunks && chunks.length !== Math.ceil(sizeBytes / chunkBytes)) {
      refuse(`${sizeBytes} bytes in ${chunks.length} pieces of 16 MiB. Assemble the model again.`);
    }
  }
  return index;
}

/** `experts/00`, …: wide enough that names sort as numbers up to 100 experts. */
export function expertFolder(cluster: number): string {
  return `experts/${String(cluster).padStart(2, '0')}`;
}
