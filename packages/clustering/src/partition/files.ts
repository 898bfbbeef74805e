/** A partition on disk. */
import { CheckpointError } from '@paris/tensor';
import { readSafetensors, writeSafetensors } from '@paris/tensor/safetensors';
import type { FileStore } from '@paris/tensor/store';
import { type Partition, type PartitionManifest, partitionSchema } from './partition.js';

const manifestName = 'partition.json';
const centroidsName = 'centroids.safetensors';

/** Writes `partition.json` and `centroids.safetensors` into a folder of the store. The same partition, the same bytes. */
export async function writePartition(store: FileStore, folder: string, partition: Partition): Promise<void> {
  const { centroids, ...manifest } = partition;
  const shape = [manifest.clusters, manifest.encoder.dimensions];
  await store.write(
    within(folder, centroidsName),
    writeSafetensors({ centroids: { data: centroids, shape, dtype: 'f32' } }),
  );
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await store.write(within(folder, manifestName), new TextEncoder().encode(text)); // last: its presence means complete
}

/**
 * Reads a partition back.
 * @throws CheckpointError if a file is missing or is not what {@link writePartition} writes
 */
export async function readPartition(store: FileStore, folder: string): Promise<Partition> {
  const manifest = parseManifest(new TextDecoder().decode(await store.read(within(folder, manifestName))), folder);
  const { centroids } = await readSafetensors(store, within(folder, centroidsName));
  const shape = [manifest.clusters, manifest.encoder.dimensions];
  if (!(centroids?.data instanceof Float32Array) || centroids.shape.join() !== shape.join()) {
    const got = centroids ? `${centroids.dtype} [${centroids.shape.join(', ')}]` : 'no such key';
    const wanted = `"centroids" f32 [${shape.join(', ')}]`;
    throw new CheckpointError('readPartition', `${within(folder, centroidsName)} should hold ${wanted}, got ${got}.`);
  }
  return { ...manifest, centroids: centroids.data };
}

function parseManifest(text: string, folder: string): PartitionManifest {
  const path = within(folder, manifestName);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError('readPartition', `${path} is not JSON (${(cause as Error).message}).`, { cause });
  }
  const parsed = partitionSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const where = issue.path.length > 0 ? `"${issue.path.join('.')}"` : 'the top level';
    throw new CheckpointError('readPartition', `${path} is not a partition: ${where}: ${issue.message}.`);
  }
  if (parsed.data.sizes.length === parsed.data.clusters) return parsed.data;
  const { sizes, clusters } = parsed.data;
  throw new CheckpointError('readPartition', `${path} lists ${sizes.length} sizes for ${clusters} clusters.`);
}

function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
