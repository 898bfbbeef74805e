// A model is a folder: an index, and files that the index lists with their sizes and hashes. Nothing in it is run.
//
//   model_index.json
//   experts/00/{config.json, model.safetensors} …   router/{config.json, model.safetensors}
//   codec/config.json   text/vocabulary.json   partition/{partition.json, centroids.safetensors}
import { checkJson, isPath, parseJson } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import type { QuantizedFormat } from '@paris/tensor/nn';
import * as z from 'zod/mini';
import { count, limits } from '../limits.js';

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

/** What a network of a model learned from: numbers of pictures. */
export interface LearnedFrom {
  /** Pictures by licence. */
  readonly licences: Readonly<Record<string, number>>;
  /** Pictures by source. Left out where there are too many sources to list. */
  readonly sources?: Readonly<Record<string, number>> | undefined;
}

/** `model_index.json`. */
export interface ModelIndex {
  readonly format: 'paris-model';
  readonly version: 1;
  /** The number of clusters, K: as many experts as there are, and those that are absent. */
  readonly clusters: number;
  /** Clusters whose expert is not there (not trained yet, or withdrawn), ascending. Left out: none. */
  readonly absent?: readonly number[] | undefined;
  /** What experts and router see. */
  readonly latent: { readonly channels: number; readonly height: number; readonly width: number };
  /** The noise path that the router was trained on and that sampling follows. */
  readonly path: string;
  /** How sampling shifts its times: t′ = s·t / (1 + (s − 1)·t) on the linear path (arXiv 2403.03206, eq. 23). Left out: not. */
  readonly shift?: number | undefined;
  /** The routing policy where none is given: `top2`, `full`, … */
  readonly routing: string;
  /** The codec's name; `identity` in pixel space. */
  readonly codec: string;
  /** How experts' matrices are packed. Left out: they are not. */
  readonly weights?: QuantizedFormat | undefined;
  /** SPDX expressions or prose. */
  readonly licence: string;
  /** Where the pictures came from, who is to be named, …: by topic. */
  readonly provenance: Readonly<Record<string, string>>;
  /** What each network learned from, by its folder: `experts/03`, `router`. Left out: it is not known. */
  readonly learnedFrom?: Readonly<Record<string, LearnedFrom>> | undefined;
  /** All other files of the folder, by path. */
  readonly files: readonly ModelFile[];
}

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const edge = count(limits.pixels);
const name = z.string().check(z.maxLength(200));
const prose = z.string().check(z.maxLength(100_000));
const counts = z.record(prose, z.int());

/** Checks that JSON has the form of a {@link ModelIndex}; {@link parseModelIndex} checks the rest. */
const schema: z.ZodMiniType<ModelIndex> = z.object({
  format: z.literal('paris-model'),
  version: z.literal(1),
  clusters: count(limits.clusters),
  absent: z.optional(z.array(z.int())),
  latent: z.object({ channels: edge, height: edge, width: edge }),
  path: name,
  shift: z.optional(z.number().check(z.gt(0))),
  routing: name,
  codec: name,
  weights: z.optional(z.enum(['q8', 'q4'])),
  licence: prose,
  provenance: z.record(name, prose),
  learnedFrom: z.optional(z.record(name, z.object({ licences: counts, sources: z.optional(counts) }))),
  files: z.array(
    z.object({
      path: z.string().check(z.maxLength(1000)),
      sizeBytes: z.int().check(z.gte(0)),
      sha256: hash,
      chunks: z.optional(z.array(hash)),
    }),
  ),
});

/**
 * A checked index from the bytes of `model_index.json`.
 * @throws CheckpointError for another format, for no expert or more than files, for a path that leaves the folder or stands twice, and for a file whose
 *   pieces do not make up its size
 */
export function parseModelIndex(bytes: Uint8Array): ModelIndex {
  const origin = { tag: 'loadPipeline', path: indexPath };
  const index = checkJson(parseJson(bytes, origin), schema, origin);
  const { files } = index;
  const experts = presentExperts(index).length;
  if (experts < 1 || experts > files.length) {
    throw new CheckpointError(
      'loadPipeline',
      `${indexPath} names ${experts} experts and this many files: ${files.length}. Assemble the model again.`,
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

/** The clusters whose experts are there, ascending. */
export function presentExperts({ clusters, absent = [] }: Pick<ModelIndex, 'clusters' | 'absent'>): number[] {
  return Array.from({ length: clusters }, (_, k) => k).filter((k) => !absent.includes(k));
}

/** `experts/00`, …: wide enough that names sort as numbers up to 100 experts. */
export function expertFolder(cluster: number): string {
  return `experts/${String(cluster).padStart(2, '0')}`;
}
