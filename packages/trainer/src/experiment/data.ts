// The pictures of an experiment, partitioned in as many ways as its variants need, in folders of its own.

import { readPartition, writePartition } from '@paris/clustering';
import { type FileSource, type FileStore, folderStore } from '@paris/files';
import { type Device, key } from '@paris/tensor';
import { openManifestFolder, readLabelled, writeLabelled, writeManifestFolder } from '../data/files.js';
import { pickItems } from '../data/items.js';
import { pickRows } from '../data/rows.js';
import { shuffled } from '../evaluate/real-pictures.js';
import { partitionData } from '../partition/partition.js';
import type { Variant } from './design.js';

/** Which pictures, partitioned how. */
export interface PartitionFor {
  device: Device;
  data: FileSource;
  out: FileStore;
  seed: number;
  variant: Variant;
  signal?: AbortSignal | undefined;
}

/** A copy of the pictures, partitioned as the variant wants; of variants that want the same, one. */
export async function partitionFor({ device, data, out, seed, variant, signal }: PartitionFor): Promise<FileStore> {
  const { clusters, clustering } = variant;
  const store = folderStore(out, partitionFolder(seed, variant));
  if (await store.exists('partition/partition.json')) return store;
  const { manifest, rows, items } = await openManifestFolder(data);
  await writeManifestFolder(store, { ...manifest, items }, rows, { signal });
  await partitionData({
    ...{ device, data: store, clusters, seed, signal },
    ...(clustering === 'random' && { assignment: 'random' }),
    ...(clustering === 'balanced' && { balance: 'auction' }),
  });
  return store;
}

/** The same folder for a router that sees a share of the pictures, drawn by the seed; the whole folder for 1. */
export async function routerDataFor(
  out: FileStore,
  data: FileStore,
  variant: Pick<Variant, 'clusters' | 'clustering'> & { seed: number },
  share: number,
): Promise<FileStore> {
  if (share === 1) return data;
  const store = folderStore(out, `${partitionFolder(variant.seed, variant)}-${share}`);
  if (await store.exists('partition/partition.json')) return store;
  const { manifest, rows, items } = await readLabelled(data, 'router');
  const order = shuffled(manifest.count, key(variant.seed).foldIn(SHARE));
  const kept = order.slice(0, Math.max(1, Math.round(share * manifest.count))).sort((a, b) => a - b);
  const some = { ...manifest, count: kept.length, items: pickItems(items, kept) };
  await writeLabelled(store, 'router', some, pickRows(rows, manifest, kept));
  await writePartition(store, 'partition', await readPartition(data, 'partition'));
  return store;
}

/** The stream of a seed that decides which pictures a router of a share sees. */
const SHARE = 6;

function partitionFolder(seed: number, { clusters, clustering }: Pick<Variant, 'clusters' | 'clustering'>): string {
  return `seed-${seed}/data-${clusters}-${clustering}`;
}
