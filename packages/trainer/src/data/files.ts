// The folders of a data folder on disk. Each is self-contained: a JSON file that says what its pictures are, and
// images.safetensors with `images` u8 [N, C, S, S], `tokens` u32 [N, L] and, where clusters are mixed, `labels` u32 [N].

import type { FileSource, FileStore } from '@paris/files';
import { checkJson, encodeJson, entriesOf, parseJson, readJson, sha256, writeJson } from '@paris/files';
import { type HostTensor, parseSafetensors, readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import type * as z from 'zod/mini';
import { DataError, OutputError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import {
  type ClusterManifest,
  clusterSchema,
  type DataFormat,
  type LabelledManifest,
  labelledSchema,
  type Manifest,
  manifestSchema,
} from './formats.js';
import { type Pictures, type Rows, rowsOf } from './rows.js';

const IMAGES = 'images.safetensors';

/**
 * Writes `images.safetensors` and `manifest.json`. Where both are there already with the same bytes, nothing changes; else
 * what was partitioned of other pictures goes with them, if `fresh` says so.
 * @throws OutputError if the store holds something else than a data folder of ours, or a partition that would go
 */
export async function writeManifestFolder(
  store: FileStore,
  manifest: Manifest,
  pictures: Pictures,
  { signal, fresh = false }: { signal?: AbortSignal | undefined; fresh?: boolean | undefined } = {},
): Promise<void> {
  const files = { [IMAGES]: imageBytes(manifest, pictures), 'manifest.json': encodeJson(manifest) };
  await recoverOutput(store);
  await claimOutput(store, dataFolder, 'prepare');
  const same = Object.entries(files).map(async ([path, bytes]) => {
    return (await store.exists(path)) && sameBytes(await store.read(path), bytes);
  });
  if ((await Promise.all(same)).every(Boolean)) return;
  if (!fresh) await assertUnpartitioned(store);
  const { parts, index: last } = dataFolder;
  await replaceOutput(store, dataFolder, { parts, last }, 'prepare', async (folder) => {
    for (const [path, bytes] of Object.entries(files)) await folder.write(path, bytes);
    signal?.throwIfAborted();
  });
}

/** @throws OutputError if pictures were partitioned here already: other ones would take the clusters away */
export async function assertUnpartitioned(store: FileStore): Promise<void> {
  const clusters = await entriesOf(store, 'clusters');
  if (clusters.length === 0 && !(await store.exists('partition/partition.json'))) return;
  const what = 'the output folder is partitioned, and other pictures would remove its clusters';
  throw new OutputError('prepare', `${what}. Give another folder, or --fresh to begin again.`);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * What {@link writeManifestFolder} wrote.
 * @throws CheckpointError if it is missing or its parts do not fit together.
 */
export async function readManifestFolder(store: FileSource): Promise<{ manifest: Manifest } & Pictures> {
  const manifest = await readManifest(store);
  return { manifest, ...picturesOf(await readSafetensors(store, IMAGES), IMAGES, manifest) };
}

/** What `prepare` says of a data folder. @throws CheckpointError if its manifest is missing or is not one */
export async function readManifest(store: FileSource): Promise<Manifest> {
  if (!(await store.exists('manifest.json'))) {
    throw new CheckpointError('data', 'manifest.json is missing. Run paris prepare PICTURES --out DATA first.');
  }
  return readJson(store, 'manifest.json', manifestSchema);
}

/** Where `partition` puts the pictures of one cluster: `clusters/03`. */
export function clusterFolder(cluster: number): string {
  return `clusters/${String(cluster).padStart(2, '0')}`;
}

export async function writeCluster(store: FileStore, manifest: ClusterManifest, pictures: Pictures): Promise<void> {
  const folder = clusterFolder(manifest.cluster);
  await store.write(`${folder}/${IMAGES}`, imageBytes(manifest, pictures));
  await writeJson(store, `${folder}/cluster.json`, manifest);
}

/** Pictures that train something, with the hash of the two files they came from. */
export interface TrainingData<M extends DataFormat> {
  manifest: M;
  rows: Rows;
  /** SHA-256 over both files: the data part of a run's identity. */
  sha256: string;
}

/** The folder of one cluster. @throws CheckpointError if it is missing or unsound, DataError if it has no picture. */
export async function readCluster(store: FileSource, cluster: number): Promise<TrainingData<ClusterManifest>> {
  const folder = clusterFolder(cluster);
  const data = await readHashed(store, folder, `${folder}/cluster.json`, clusterSchema);
  if (data.manifest.count > 0) return data;
  throw new DataError('data', `cluster ${cluster} has no picture to learn from. Partition with fewer clusters.`);
}

/** The two folders in which clusters are mixed: what the router learns from, and what no training sees. */
export type LabelledFolder = 'router' | 'test';

/** What mixed folders have beside their pictures. */
export interface Labels {
  /** The cluster of each picture, u32 [N]. */
  labels: Uint32Array;
}

export async function writeLabelled(
  store: FileStore,
  folder: LabelledFolder,
  manifest: LabelledManifest,
  pictures: Pictures,
): Promise<void> {
  await store.write(`${folder}/${IMAGES}`, imageBytes(manifest, pictures));
  await writeJson(store, `${folder}/${folder}.json`, manifest);
}

/** One of the mixed folders, with its pictures' clusters. @throws CheckpointError if it is missing or unsound. */
export async function readLabelled(
  store: FileSource,
  folder: LabelledFolder,
): Promise<TrainingData<LabelledManifest> & Labels> {
  const data = await readHashed(store, folder, `${folder}/${folder}.json`, labelledSchema);
  const { clusters, items } = data.manifest;
  const bad = items.find((item) => item.cluster >= clusters);
  if (bad) throw new CheckpointError('data', `${folder}.json: ${bad.id} is in cluster ${bad.cluster} of ${clusters}.`);
  return { ...data, labels: Uint32Array.from(items, (item) => item.cluster) };
}

function imageBytes(format: DataFormat & { count: number }, { pixels, tokens }: Pictures): Uint8Array {
  const { count, channels, size, maxTokens } = format;
  return writeSafetensors({
    images: { dtype: 'u8', shape: [count, channels, size, size], data: pixels },
    tokens: { dtype: 'u32', shape: [count, maxTokens], data: tokens },
  });
}

/** The pictures in the tensors of a file. `path` is only for the message. */
function picturesOf(
  { images, tokens }: Record<string, HostTensor>,
  path: string,
  { count, channels, size, maxTokens }: DataFormat & { count: number },
): Pictures {
  const wanted = [`images u8 [${count}, ${channels}, ${size}, ${size}]`, `tokens u32 [${count}, ${maxTokens}]`];
  const got = [describe('images', images), describe('tokens', tokens)];
  if (got.join() !== wanted.join()) {
    throw new CheckpointError('data', `${path} should hold ${wanted.join(', ')}, got ${got.join(', ')}.`);
  }
  return { pixels: images!.data as Uint8Array, tokens: tokens!.data as Uint32Array };
}

function describe(name: string, entry: { dtype: string; shape: readonly number[] } | undefined): string {
  return entry ? `${name} ${entry.dtype} [${entry.shape.join(', ')}]` : `no ${name}`;
}

async function readHashed<M extends DataFormat & { count: number; items: unknown[] }>(
  store: FileSource,
  folder: string,
  json: string,
  schema: z.ZodMiniType<M>,
): Promise<TrainingData<M>> {
  if (!(await store.exists(json))) {
    throw new CheckpointError('data', `${json} is missing. Run paris partition DATA --clusters N first.`);
  }
  const path = `${folder}/${IMAGES}`;
  const [text, images] = [await store.read(json), await store.read(path)];
  const origin = { tag: 'readJson', path: json };
  const manifest = checkJson(parseJson(text, origin), schema, origin);
  if (manifest.items.length !== manifest.count) {
    throw new CheckpointError('data', `${json} says ${manifest.count} pictures and lists ${manifest.items.length}.`);
  }
  const digest = await sha256(encodeJson({ manifest: await sha256(text), images: await sha256(images) }));
  // The bytes that were hashed, not the file once more: what is learned from is what run.json says.
  const tensors = parseSafetensors(images, JSON.stringify(path));
  return { manifest, rows: rowsOf(picturesOf(tensors, path, manifest), manifest), sha256: digest };
}
