// The folders of a data folder on disk. Each is self-contained: a JSON file that says what its pictures are, and
// images.safetensors with its columns: `images` u8 [N, C, S, S] and `tokens` u32 [N, L], unless the JSON file says others.

import type { FileSource, FileStore } from '@paris/files';
import { checkJson, encodeJson, entriesOf, parseJson, readJson, sha256, writeJson } from '@paris/files';
import { type HostTensor, parseSafetensors } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';
import { DataError, OutputError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { columnsOf, type DataColumns } from './columns.js';
import {
  type ClusterManifest,
  clusterItemSchema,
  clusterSchema,
  type DataFormat,
  type DataItem,
  type Described,
  IMAGES,
  type ItemOf,
  type LabelledManifest,
  labelledItemSchema,
  labelledSchema,
  type Manifest,
  type ManifestItem,
  manifestItemSchema,
  manifestSchema,
  type ShardFile,
} from './formats.js';
import { filedItems } from './item-files.js';
import { type Items, itemsOf, rowsWhere } from './items.js';
import { Numbers } from './numbers.js';
import { holdsRecords, inRows, type Unwritten, writeRecords } from './records.js';
import { type Rows, rowsOf } from './rows.js';
import { damaged, otherBytes, pathIn, shardedRows, type WriteOptions } from './shards.js';

/**
 * Writes records and `manifest.json`. If they exist already with the same bytes, nothing changes. Otherwise, with `fresh`, a
 * partition of other pictures is removed with them.
 * @param columns - in memory, or rows that are read a shard at a time
 * @returns what `manifest.json` says
 * @throws OutputError if the store holds something else than a data folder of ours, or a partition that would go
 */
export async function writeManifestFolder(
  store: FileStore,
  manifest: Unwritten<Manifest>,
  columns: DataColumns | Rows,
  { fresh = false, ...how }: WriteOptions & { fresh?: boolean | undefined } = {},
): Promise<Manifest> {
  const rows = inRows(columns, manifest);
  await recoverOutput(store);
  await claimOutput(store, dataFolder, 'prepare');
  const there = await readManifest(store).catch(() => undefined);
  if (there && (await holdsRecords(store, there, manifest, rows, how))) return there;
  if (!fresh) await assertUnpartitioned(store);
  const { parts, index: last } = dataFolder;
  return replaceOutput(store, dataFolder, { parts, last }, 'prepare', async (folder) => {
    const written = await writeManifest(folder, manifest, rows, how);
    how.signal?.throwIfAborted();
    return written;
  });
}

/** The records of a folder, and its `manifest.json`, without a look at what is there. @returns what it says */
export async function writeManifest(
  store: FileStore,
  manifest: Unwritten<Manifest>,
  rows: Rows,
  how: WriteOptions = {},
): Promise<Manifest> {
  const written = await writeRecords<Manifest>(store, '', manifest, rows, how);
  await writeJson(store, 'manifest.json', written);
  return written;
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
  const schemas = [manifestSchema, manifestItemSchema] as const;
  return readHashed(store, '', 'manifest.json', schemas, 'paris prepare PICTURES --out DATA');
}

/**
 * What `manifest.json` says of each picture: read with {@link readManifest}, or returned by `preparePictures`.
 * @param store - the data folder
 * @throws CheckpointError if it does not say it; DataError from `read` for a file with other bytes than were written
 */
export function manifestItems(store: FileSource, manifest: Manifest): Items<ManifestItem> {
  return itemsIn(store, '', 'manifest.json', manifest, manifestItemSchema);
}

/** How many pictures of a data folder are held out. @throws as {@link manifestItems} */
export async function heldOutCount(store: FileSource, manifest: Manifest): Promise<number> {
  const rows = await rowsWhere(manifestItems(store, manifest), ({ split }) => split === 'test');
  return rows.length;
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
  manifest: Unwritten<ClusterManifest>,
  columns: DataColumns | Rows,
  how: WriteOptions = {},
): Promise<void> {
  const folder = clusterFolder(manifest.cluster);
  await writeJson(
    store,
    `${folder}/cluster.json`,
    await writeRecords<ClusterManifest>(store, folder, manifest, columns, how),
  );
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
export interface TrainingData<M extends Described> {
  manifest: M;
  rows: Rows;
  /** What is said of each picture: item i of row i. */
  items: Items<ItemOf<M>>;
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
  const data = await readHashed(store, folder, `${folder}/cluster.json`, [clusterSchema, clusterItemSchema]);
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
  manifest: Unwritten<LabelledManifest>,
  columns: DataColumns | Rows,
  how: WriteOptions = {},
): Promise<void> {
  const written = await writeRecords<LabelledManifest>(store, folder, manifest, columns, how);
  await writeJson(store, `${folder}/${folder}.json`, written);
}

/** One of the mixed folders, with its pictures' clusters. @throws CheckpointError if it is missing or unsound. */
export async function readLabelled(
  store: FileSource,
  folder: LabelledFolder,
): Promise<TrainingData<LabelledManifest> & Labels> {
  const data = await readHashed(store, folder, `${folder}/${folder}.json`, [labelledSchema, labelledItemSchema]);
  const { clusters } = data.manifest;
  const labels = new Numbers(); // not of `count`, which anybody may have written
  for await (const { id, cluster } of data.items) {
    if (cluster >= clusters)
      throw new CheckpointError('data', `${folder}.json: ${id} is in cluster ${cluster} of ${clusters}.`);
    labels.push(cluster);
  }
  return { ...data, labels: labels.all() };
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

async function readHashed<M extends Described>(
  store: FileSource,
  folder: string,
  json: string,
  [schema, itemSchema]: readonly [z.ZodMiniType<M>, z.ZodMiniType<ItemOf<M>>],
  writtenBy = 'paris partition DATA --clusters N',
): Promise<TrainingData<M>> {
  if (!(await store.exists(json))) {
    throw new CheckpointError('data', `${json} is missing. Run ${writtenBy} first.`);
  }
  const text = await store.read(json);
  const origin = { tag: 'readJson', path: json };
  const manifest = checkJson(parseJson(text, origin), schema, origin);
  const items = itemsIn<ItemOf<M>>(store, folder, json, manifest, itemSchema);
  const { rows, images } = await openRecords(store, folder, json, manifest);
  // Of shards, the JSON file has the hashes already.
  const hashes = { manifest: await sha256(text), ...(images !== undefined && { images }) };
  return { manifest, rows, items, sha256: await sha256(encodeJson(hashes)) };
}

/** The records that a JSON file describes; one file is read as a whole, and `images` is its SHA-256. */
async function openRecords(
  store: FileSource,
  folder: string,
  json: string,
  manifest: Described,
): Promise<{ rows: Rows; images?: string }> {
  const { count, shards } = manifest;
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

/** What a JSON file says of each picture, in itself or in files beside it. */
function itemsIn<I extends DataItem>(
  store: FileSource,
  folder: string,
  json: string,
  { count, items, itemFiles }: { count: number; items?: I[] | undefined; itemFiles?: ShardFile[] | undefined },
  schema: z.ZodMiniType<I>,
): Items<I> {
  if ((items === undefined) === (itemFiles === undefined)) {
    const what = items
      ? 'lists its pictures twice: items and itemFiles'
      : 'lists no pictures: neither items nor itemFiles';
    throw new CheckpointError('data', `${json} ${what}.`);
  }
  const found = items ? itemsOf(items) : filedItems(store, folder, itemFiles!, z.array(schema));
  if (found.count === count) return found;
  throw new CheckpointError('data', `${json} says ${count} pictures and lists ${found.count}.`);
}
