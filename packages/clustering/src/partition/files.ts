/** A partition on disk. */
import { CheckpointError } from '@paris/tensor';
import { type HostTensor, readSafetensors, writeSafetensors } from '@paris/tensor/safetensors';
import { describeIssue, type FileSource, type FileStore } from '@paris/tensor/store';
import type * as z from 'zod/mini';
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
  const text = `${JSON.stringify(partitionSchema.parse(manifest), null, 2)}\n`; // parsed: fields in one order
  await store.write(within(folder, manifestName), new TextEncoder().encode(text)); // last: its presence means complete
}

/**
 * Reads a partition back, of this version or version 1.
 * @throws CheckpointError if a file is missing or is not what {@link writePartition} writes
 */
export async function readPartition(store: FileSource, folder: string): Promise<Partition> {
  const manifest = parseManifest(new TextDecoder().decode(await store.read(within(folder, manifestName))), folder);
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

function parseManifest(text: string, folder: string): PartitionManifest {
  const path = within(folder, manifestName);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError('readPartition', `${path} is not JSON (${(cause as Error).message}).`, { cause });
  }
  const manifest = ofItsVersion(json, path);
  const { sizes, clusters } = manifest;
  if (sizes.length === clusters) return manifest;
  throw new CheckpointError('readPartition', `${path} lists ${sizes.length} sizes for ${clusters} clusters.`);
}

function ofItsVersion(json: unknown, path: string): PartitionManifest {
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== 1 && version !== 2) {
    const fix = 'Partition again, or use the release that wrote it.';
    throw new CheckpointError('readPartition', `${path} has version ${version}; this release reads 1 and 2. ${fix}`);
  }
  return version === 1 ? upgradeManifest(checked(partitionSchema1, json, path)) : checked(partitionSchema, json, path);
}

function checked<T>(schema: z.ZodMiniType<T>, json: unknown, path: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problem = describeIssue(parsed.error.issues[0]!, json);
  throw new CheckpointError('readPartition', `${path} is not a partition: ${problem}. Partition again.`);
}

function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
