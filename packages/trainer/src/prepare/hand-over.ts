// Pictures of clusters whose experts were withdrawn go to the experts that are left: the router learns each as one of the nearest
// cluster that is left. Renormalising its probabilities leaves such pictures to what it happens to say of them; this teaches it.
import { assign, type Encoder, encoderOf, type Partition, statisticsEncoder } from '@paris/clustering';
import type { FileSource, FileStore } from '@paris/files';
import { type Device, ValueError } from '@paris/tensor';
import { type LabelledFolder, readLabelled } from '../data/files.js';
import { imageStream } from '../data/images.js';
import { listItems, pickItems } from '../data/items.js';
import { pickRows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { partitionIn } from '../partition/partition.js';
import { type Joined, joinData } from './join.js';

/** Whose pictures are handed over. */
export interface HandOverOptions {
  readonly device: Device;
  /** A partitioned data folder. */
  readonly data: FileSource;
  /** The data folder to write. */
  readonly out: FileStore;
  /** The clusters whose experts were withdrawn. */
  readonly clusters: readonly number[];
  /** What the centroids were made with. Default: the built-in statistics of colour, layout and edges. */
  readonly encoder?: Encoder | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a data folder in which the router and the held-out pictures know the withdrawn clusters no more: their pictures are labelled
 * with the nearest of the other centroids. The folders of the other clusters keep their bytes, and the partition its centroids.
 * @returns what `joinData` does, and how many pictures went to each cluster
 * @throws ValueError for a cluster that there is not, or if none would be left; DataError for a partition that is not by nearest
 *   centroid; as `joinData`
 */
export async function handOverClusters(options: HandOverOptions): Promise<Joined & { readonly to: readonly number[] }> {
  const { device, data, out, clusters: gone, encoder = statisticsEncoder(), signal } = options;
  const partition = await partitionIn(data, 'the data folder', 'hand over');
  const { left, rest } = without(partition, gone);
  const moved = new Map<string, number>();
  const to = new Array<number>(partition.clusters).fill(0);
  for (const folder of ['router', 'test'] as const) {
    signal?.throwIfAborted();
    for (const [id, at] of await nearest(device, data, folder, gone, rest, encoder)) {
      moved.set(id, left[at]!);
      if (folder === 'router') to[left[at]!]!++;
    }
  }
  return { ...(await joinData({ data: [data], out, moved, signal })), to };
}

/** The partition of the clusters that are left, and their numbers. */
function without(partition: Partition, gone: readonly number[]): { left: number[]; rest: Partition } {
  const { clusters, assignment, centroids, sizes, encoder } = partition;
  const strange = gone.find((k) => !Number.isInteger(k) || k < 0 || k >= clusters);
  if (strange !== undefined) {
    throw new ValueError('hand over', `there is no cluster ${strange}. Name some of 0 to ${clusters - 1}.`);
  }
  if (assignment !== 'nearest-centroid') {
    const what = `the partition is by ${assignment}, so no other cluster is the nearest`;
    throw new DataError('hand over', `${what}. Partition again without those pictures.`);
  }
  const left = Array.from({ length: clusters }, (_, k) => k).filter((k) => !gone.includes(k));
  if (left.length === 0) throw new ValueError('hand over', 'no cluster is left to take the pictures. Name fewer.');
  const { dimensions } = encoder;
  const kept = new Float32Array(left.length * dimensions);
  for (const [i, k] of left.entries())
    kept.set(centroids.subarray(k * dimensions, (k + 1) * dimensions), i * dimensions);
  return { left, rest: { ...partition, clusters: left.length, centroids: kept, sizes: left.map((k) => sizes[k]!) } };
}

/** Each picture of the withdrawn clusters, by id, with the place of its new one among those that are left. */
async function nearest(
  device: Device,
  data: FileSource,
  folder: LabelledFolder,
  gone: readonly number[],
  rest: Partition,
  encoder: Encoder,
): Promise<[string, number][]> {
  const { manifest, rows, items, labels } = await readLabelled(data, folder);
  const chosen = [...labels.keys()].filter((row) => gone.includes(labels[row]!));
  if (chosen.length === 0) return [];
  const images = imageStream(pickRows(rows, manifest, chosen), manifest);
  const placed = await assign(device, encoderOf(rest, [encoder]), rest, images);
  const own = await listItems(pickItems(items, chosen));
  return own.map(({ id }, i) => [id, placed[i]!]);
}
