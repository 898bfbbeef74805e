// The folders of a data folder on disk. Each is self-contained: a JSON file that says what its pictures are, and
// images.safetensors with its columns: `images` u8 [N, C, S, S] and `tokens` u32 [N, L], unless the JSON file says others.

import type { FileSource, FileStore } from '@paris/files';
import { checkJson, encodeJson, entriesOf, parseJson, readJson, sha256, writeJson } from '@paris/files';
import { type HostTensor, parseSafetensors } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import type * as z from 'zod/mini';
import { DataError, OutputError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { sameBytes } from '../same-bytes.js';
import { columnsOf, type DataColumns } from './columns.js';
import {
  type ClusterManifest,
  clusterSchema,
  type DataFormat,
  type FormatVersion,
  IMAGES,
  type LabelledManifest,
  labelledSchema,
  type Manifest,
  manifestSchema,
  type Sharded,
  type ShardFile,
} from './formats.js';
import { type Rows, rowsOf } from './rows.js';
import { damaged, otherBytes, pathIn, recordFiles, shardedRows, type WriteOptions } from './shards.js';

/**
 * Writes records and `manifest.json`. If they exist already with the same bytes, nothing changes. Otherwise, with `fresh`, a
 * partition of other pictures is removed with them.
 * @param columns - in memory, or rows that are read a shard at a time
 * @throws OutputError if the store holds something else than a data folder of ours, or a partition that would go
 */
export async function writeManifestFolder(
  store: FileStore,
  manifest: Manifest,
  columns: DataColumns | Rows,
  { fresh = false, ...how }: WriteOptions & { fresh?: boolean | undefined } = {},
): Promise<void> {
  const rows = inRows(columns, manifest);
  await recoverOutput(store);
  await claimOutput(store, dataFolder, 'prepare');
  if (await holds(store, manifest, rows, how)) return;
  if (!fresh) await assertUnpartitioned(store);
  const { parts, index: last } = dataFolder;
  await replaceOutput(store, dataFolder, { parts, last }, 'prepare', async (folder) => {
    await writeManifest(folder, manifest, rows, how);
    how.signal?.throwIfAborted();
  });
}

/** The records of a folder, and its `manifest.json`, without a look at what is there. */
export async function writeManifest(
  store: FileStore,
  manifest: Manifest,
  rows: Rows,
  how: WriteOptions = {},
): Promise<void> {
  await writeJson(store, 'manifest.json', await writeRecords(store, '', manifest, rows, how));
}

function inRows(columns: DataColumns | Rows, manifest: DataFormat & { count: number }): Rows {
  return typeof columns.read === 'function' ? (columns as Rows) : rowsOf(columns as DataColumns, manifest);
}

/** Whether a folder holds these records already. Another description is seen before rows are read. */
async function holds(store: FileSource, manifest: Manifest, rows: Rows, how: WriteOptions): Promise<boolean> {
  const there = await readManifest(store).catch(() => undefined);
  if (!there || !sameBytes(wordsOf(there), wordsOf(manifest))) return false;
  const shards: ShardFile[] = [];
  for await (const { file, parts, ...rest } of recordFiles(manifest, rows, how)) {
    if (!(await holdsBytes(store, file, parts))) return false;
    shards.push({ file, ...rest });
  }
  const now = versioned(manifest, shards);
  const { sha256: _, ...before } = now; // as it was written before it had the hash of one file
  for (const said of [now, before]) if (await holdsBytes(store, 'manifest.json', [encodeJson(said)])) return true;
  return false;
}

/** What a manifest says, but for the files; keys in the order of the schema. */
function wordsOf(manifest: Manifest): Uint8Array {
  const { shards: _, version: __, sha256: ___, ...rest } = manifestSchema.parse(manifest);
  return encodeJson(rest);
}

async function holdsBytes(store: FileSource, path: string, parts: readonly Uint8Array[]): Promise<boolean> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (!(await store.exists(path)) || (await store.size(path)) !== length) return false;
  let offset = 0;
  for (const part of parts) {
    if (!sameBytes(await store.read(path, { offset, length: part.length }), part)) return false;
    offset += part.length;
  }
  return true;
}

/**
 * Writes the records that a JSON file is to describe.
 * @returns the description, with its version and its shards
 */
async function writeRecords<M extends Versioned>(
  store: FileStore,
  folder: string,
  described: M,
  columns: DataColumns | Rows,
  how: WriteOptions,
): Promise<M> {
  const shards: ShardFile[] = [];
  for await (const { file, parts, ...rest } of recordFiles(described, inRows(columns, described), how)) {
    await store.write(pathIn(folder, file), parts);
    shards.push({ file, ...rest });
  }
  return versioned(described, shards);
}

type Versioned = DataFormat & Sharded & { version: FormatVersion; count: number };

/** A description of records in these files. One file needs no list, and with the usual columns has version 1 as always. */
function versioned<M extends Versioned>({ ...described }: M, shards: readonly ShardFile[]): M {
  delete described.shards;
  delete described.sha256;
  if (shards.length > 1) return { ...described, version: 2, shards };
  return { ...described, version: described.columns ? 2 : 1, sha256: shards[0]!.sha256 };
}

/** @throws OutputError if pictures were partitioned here already: other pictures would remove the clusters */
export async function assertUnpartitioned(store: FileStore): Promise<void> {
  const clusters = await entriesOf(store, 'clusters');
  if (clusters.length === 0 && !(await store.exists('partition/partition.json'))) return;
  const what = 'the output folder is partitioned, and other pictures would remove its clusters';
  throw new OutputError('prepare', `${what}. Give another folder, or --fresh to begin again.`);
}

/**
 * What {@link writeManifestFolder} wrote, all of it in memory.
 * @throws CheckpointError if it is missing or its parts do not fit together; DataError for a shard with other bytes
 */
export async function readManifestFolder(store: FileSource): Promise<{ manifest: Manifest; columns: DataColumns }> {
  const { manifest, rows } = await openManifestFolder(store);
  return { manifest, columns: await rows.read(0, rows.count) };
}

/** As {@link readManifestFolder}, with rows that are read when they are asked for, where they are in shards. */
export async function openManifestFolder(store: FileSource): Promise<TrainingData<Manifest>> {
  return readHashed(store, '', 'manifest.json', manifestSchema, 'paris prepare PICTURES --out DATA');
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

export async function writeCluster(
  store: FileStore,
  manifest: ClusterManifest,
  columns: DataColumns | Rows,
  how: WriteOptions = {},
): Promise<void> {
  const folder = clusterFolder(manifest.cluster);
  await writeJson(store, `${folder}/cluster.json`, await writeRecords(store, folder, manifest, columns, how));
}

/** Whether a data folder has the folder of a cluster. */
export async function hasCluster(store: FileSource, cluster: number): Promise<boolean> {
  return store.exists(`${clusterFolder(cluster)}/cluster.json`).catch(() => false);
}

/**
 * Says which clusters there are, if there are others than the one that is asked for.
 * @throws CheckpointError for one that is not there
 */
export async function assertCluster(store: FileSource, cluster: number): Promise<void> {
  if (await hasCluster(store, cluster)) return;
  const tried = await Promise.all(Array.from({ length: 100 }, (_, k) => hasCluster(store, k)));
  const there = tried.flatMap((is, k) => (is ? [k] : []));
  if (there.length === 0) return; // reading it says what to do
  const one = there.length === 1;
  const which = `the data folder has ${one ? 'only cluster' : 'clusters'} ${ranges(there)}`;
  throw new CheckpointError('data', `there is no cluster ${cluster}: ${which}. Give ${one ? 'it' : 'one of them'}.`);
}

/** `0 to 2, 5`: ascending whole numbers. */
function ranges(numbers: readonly number[]): string {
  const starts = numbers.filter((n, i) => n !== numbers[i - 1]! + 1);
  const ends = numbers.filter((n, i) => n !== numbers[i + 1]! - 1);
  return starts.map((start, i) => (start === ends[i] ? `${start}` : `${start} to ${ends[i]}`)).join(', ');
}

/** Pictures that train something, with the hash of the files they came from. */
export interface TrainingData<M extends DataFormat> {
  manifest: M;
  rows: Rows;
  /** SHA-256 over these files: the data part of a run's identity. */
  sha256: string;
}

/** The folder of one cluster. @throws CheckpointError if it is missing or unsound, DataError if it has no picture and may not be empty. */
export async function readCluster(
  store: FileSource,
  cluster: number,
  { mayBeEmpty = false }: { mayBeEmpty?: boolean } = {},
): Promise<TrainingData<ClusterManifest>> {
  const folder = clusterFolder(cluster);
  const data = await readHashed(store, folder, `${folder}/cluster.json`, clusterSchema);
  if (data.manifest.count > 0 || mayBeEmpty) return data;
  throw new DataError('data', `cluster ${cluster} has no picture to learn from. Partition with fewer clusters.`);
}

/** The two folders in which clusters are mixed: what the router learns from, and what no training sees. */
export type LabelledFolder = 'router' | 'test';

/** What mixed folders have in addition to their pictures. */
export interface Labels {
  /** The cluster of each picture, u32 [N]. */
  labels: Uint32Array;
}

export async function writeLabelled(
  store: FileStore,
  folder: LabelledFolder,
  manifest: LabelledManifest,
  columns: DataColumns | Rows,
  how: WriteOptions = {},
): Promise<void> {
  await writeJson(store, `${folder}/${folder}.json`, await writeRecords(store, folder, manifest, columns, how));
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

/** The columns in the tensors of a file. `path` is only for the message. */
function columnsIn(
  tensors: Record<string, HostTensor>,
  path: string,
  format: DataFormat & { count: number },
): DataColumns {
  const columns = Object.entries(columnsOf(format));
  const wanted = columns.map(([name, { dtype, shape }]) => describe(name, { dtype, shape: [format.count, ...shape] }));
  const got = columns.map(([name]) => describe(name, tensors[name]));
  if (got.join() !== wanted.join()) {
    throw new CheckpointError('data', `${path} should hold ${wanted.join(', ')}, got ${got.join(', ')}.`);
  }
  return Object.fromEntries(columns.map(([name]) => [name, tensors[name]!.data]));
}

function describe(name: string, entry: { dtype: string; shape: readonly number[] } | undefined): string {
  return entry ? `${name} ${entry.dtype} [${entry.shape.join(', ')}]` : `no ${name}`;
}

async function readHashed<M extends DataFormat & Described>(
  store: FileSource,
  folder: string,
  json: string,
  schema: z.ZodMiniType<M>,
  writtenBy = 'paris partition DATA --clusters N',
): Promise<TrainingData<M>> {
  if (!(await store.exists(json))) {
    throw new CheckpointError('data', `${json} is missing. Run ${writtenBy} first.`);
  }
  const text = await store.read(json);
  const origin = { tag: 'readJson', path: json };
  const manifest = checkJson(parseJson(text, origin), schema, origin);
  const { rows, images } = await openRecords(store, folder, json, manifest);
  // Of shards, the JSON file has the hashes already.
  const hashes = { manifest: await sha256(text), ...(images !== undefined && { images }) };
  return { manifest, rows, sha256: await sha256(encodeJson(hashes)) };
}

type Described = Sharded & { count: number; items: readonly unknown[] };

/** The records that a JSON file describes; one file is read as a whole, and `images` is its SHA-256. */
async function openRecords(
  store: FileSource,
  folder: string,
  json: string,
  manifest: DataFormat & Described,
): Promise<{ rows: Rows; images?: string }> {
  const { count, items, shards } = manifest;
  if (items.length !== count) {
    throw new CheckpointError('data', `${json} says ${count} pictures and lists ${items.length}.`);
  }
  if (shards) {
    const rows = shardedRows(store, folder, manifest, shards);
    if (rows.count === count) return { rows };
    throw new CheckpointError('data', `${json} says ${count} pictures, and its shards have ${rows.count}.`);
  }
  const path = pathIn(folder, IMAGES);
  const bytes = await store.read(path);
  const images = await sha256(bytes);
  if (manifest.sha256 !== undefined && images !== manifest.sha256)
    throw new DataError('data', damaged(path, otherBytes));
  // The bytes that are hashed, not the file read again: so run.json describes exactly what is learned from.
  const tensors = parseSafetensors(bytes, JSON.stringify(path));
  return { rows: rowsOf(columnsIn(tensors, path, manifest), manifest), images };
}
