// The last step of putting a model together: everything in the folder is measured, and the index written.
import type { FileSource, FileStore } from '@paris/files';
import { encodeJson, parseJson, sha256 } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import { limits } from '../limits.js';
import { chunkBytes, expertFolder, indexPath, type ModelFile, type ModelIndex, presentExperts } from './format.js';

/** What the files alone do not tell. */
export interface ModelDescription {
  readonly clusters: number;
  /** See `ModelIndex`. */
  readonly absent?: ModelIndex['absent'];
  readonly latent: ModelIndex['latent'];
  /** Default `linear`. */
  readonly path?: string;
  /** See `ModelIndex`. */
  readonly shift?: ModelIndex['shift'];
  /** Default `top2`; `top1` for a single expert. */
  readonly routing?: string;
  /** Default `identity`. */
  readonly codec?: string;
  /** How experts' matrices are packed. Default: they are not. */
  readonly weights?: ModelIndex['weights'];
  readonly licence: string;
  readonly provenance?: Readonly<Record<string, string>>;
  /** See `ModelIndex`. */
  readonly learnedFrom?: ModelIndex['learnedFrom'];
}

/**
 * Writes `codec/config.json` if there is none, then `model_index.json` with the size and hash of every file that is in
 * the store. The same files give the same bytes.
 * @throws CheckpointError if an expert's or the router's files are missing, or the store has a `model_index.json` of
 *   somebody else
 */
export async function writeModelIndex(store: FileStore, description: ModelDescription): Promise<ModelIndex> {
  const {
    clusters,
    absent = [],
    latent,
    path = 'linear',
    codec = 'identity',
    shift,
    weights,
    licence,
    provenance = {},
    learnedFrom,
  } = description;
  const { routing = clusters > 1 ? 'top2' : 'top1' } = description;
  await assertOwnIndex(store);
  if (!(await store.exists('codec/config.json'))) await store.write('codec/config.json', encodeJson({ codec }));
  const paths = (await store.list('')).filter((file) => file !== indexPath);
  const missing = requiredFiles(clusters, absent).filter((file) => !paths.includes(file));
  if (missing.length > 0) {
    throw new CheckpointError('writeModelIndex', `the model's folder lacks ${missing.join(', ')}. Train those first.`);
  }
  const files: ModelFile[] = [];
  for (const file of paths) files.push(await measure(store, file));
  const index: ModelIndex = {
    format: 'paris-model',
    version: 1,
    clusters,
    ...(absent.length > 0 && { absent }),
    latent,
    path,
    ...(shift !== undefined && { shift }),
    routing,
    codec,
    ...(weights && { weights }),
    licence,
    provenance,
    ...(learnedFrom && { learnedFrom }),
    files,
  };
  await store.write(indexPath, encodeJson(index));
  return index;
}

/** Diffusers, for one, calls its index the same. */
async function assertOwnIndex(store: FileSource): Promise<void> {
  if (!(await store.exists(indexPath))) return;
  const origin = { tag: 'writeModelIndex', path: indexPath };
  let index: unknown;
  try {
    index = parseJson(await store.read(indexPath, undefined, { maxBytes: limits.indexBytes }), origin);
  } catch {}
  if ((index as { format?: unknown } | null | undefined)?.format === 'paris-model') return;
  const what = `the folder has a ${indexPath} that Paris did not write`;
  throw new CheckpointError('writeModelIndex', `${what}. Write the model to a folder of its own.`);
}

/** The files without which a model cannot be sampled. A model of one cluster needs no router. */
export function requiredFiles(clusters: number, absent: readonly number[] = []): string[] {
  const folders = presentExperts({ clusters, absent }).map(expertFolder);
  if (clusters > 1) folders.push('router');
  return folders.flatMap((folder) => [`${folder}/config.json`, `${folder}/model.safetensors`]);
}

async function measure(store: FileSource, path: string): Promise<ModelFile> {
  const bytes = await store.read(path);
  const entry = { path, sizeBytes: bytes.length, sha256: await sha256(bytes) };
  if (bytes.length <= chunkBytes) return entry;
  const chunks: string[] = [];
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    chunks.push(await sha256(bytes.subarray(from, from + chunkBytes)));
  }
  return { ...entry, chunks };
}
