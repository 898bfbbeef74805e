// A partition on disk.
import { checkJson, type FileSource, type FileStore, parseJson, writeJson } from '@paris/files';
import { type HostTensor, readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import {
  type Partition,
  type PartitionManifest,
  partitionSchema,
  partitionSchema1,
  upgradeManifest,
} from './partition.js';

const manifestName = 'partition.json';
const centroidsName = 'centroids.safetensors';

/** Writes `partition.json` and `centroids.safetensors` into a folder of the store. The same partition, the same bytes. */
export async function writePartition(store: FileStore, folder: string, partition: Partition): Promise<void> {
  const { centroids, fine, ...manifest } = partition;
  const { clusters } = manifest;
  const { dimensions } = manifest.encoder;
  const coarse = { centroids: { data: centroids, shape: [clusters, dimensions], dtype: 'f32' as const } };
  const tensors = fine && {
    fine: { data: fine.centroids, shape: [fine.clusters.length, dimensions], dtype: 'f32' as const },
    coarse: { data: fine.clusters, shape: [fine.clusters.length], dtype: 'u32' as const },
  };
  await store.write(within(folder, centroidsName), writeSafetensors({ ...coarse, ...tensors }));
  // Parsed: fields in one order. Last: its presence means complete.
  await writeJson(store, within(folder, manifestName), partitionSchema.parse(manifest));
}

/**
 * Reads a partition back, of this version or version 1.
 * @throws CheckpointError if a file is missing or is not what {@link writePartition} writes
 */
export async function readPartition(store: FileSource, folder: string): Promise<Partition> {
  const manifest = parseManifest(await store.read(within(folder, manifestName)), within(folder, manifestName));
  const path = within(folder, centroidsName);
  const tensors = await readSafetensors(store, path);
  const { dimensions } = manifest.encoder;
  const centroids = take(tensors, path, 'centroids', 'f32', [manifest.clusters, dimensions]) as Float32Array;
  if (manifest.assignment !== 'fine-to-coarse') return { ...manifest, centroids };
  const many = manifest.stages[0]?.clusters ?? 0;
  const fine = take(tensors, path, 'fine', 'f32', [many, dimensions]) as Float32Array;
  const clusters = take(tensors, path, 'coarse', 'u32', [many]) as Uint32Array;
  const bad = clusters.findIndex((cluster) => cluster >= manifest.clusters);
  if (bad === -1) return { ...manifest, centroids, fine: { centroids: fine, clusters } };
  const got = `fine centroid ${bad} into cluster ${clusters[bad]} of ${manifest.clusters}`;
  throw new CheckpointError('readPartition', `${path} puts ${got}. Partition again.`);
}

function take(tensors: Record<string, HostTensor>, path: string, name: string, dtype: 'f32' | 'u32', shape: number[]) {
  const found = tensors[name];
  if (found?.dtype === dtype && found.shape.join() === shape.join()) return found.data;
  const got = found ? `${found.dtype} [${found.shape.join(', ')}]` : 'no such key';
  const wanted = `"${name}" ${dtype} [${shape.join(', ')}]`;
  throw new CheckpointError('readPartition', `${path} should hold ${wanted}, got ${got}.`);
}

function parseManifest(bytes: Uint8Array, path: string): PartitionManifest {
  const manifest = ofItsVersion(bytes, path);
  const { sizes, clusters } = manifest;
  if (sizes.length === clusters) return manifest;
  throw new CheckpointError('readPartition', `${path} lists ${sizes.length} sizes for ${clusters} clusters.`);
}

function ofItsVersion(bytes: Uint8Array, path: string): PartitionManifest {
  const fix = 'Partition again, or use the release that wrote it.';
  const origin = { tag: 'readPartition', path, fix };
  const json = parseJson(bytes, origin);
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== 1 && version !== 2) {
    throw new CheckpointError('readPartition', `${path} has version ${version}; this release reads 1 and 2. ${fix}`);
  }
  return version === 1
    ? upgradeManifest(checkJson(json, partitionSchema1, origin))
    : checkJson(json, partitionSchema, origin);
}

function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
