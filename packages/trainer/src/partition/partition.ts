// A data folder → self-contained folders, one for each cluster, one for the router, one of held-out pictures.
import {
  assign,
  assignImages,
  type ClusteringOptions,
  type Encoder,
  encodeImages,
  encoderOf,
  growPartition,
  type ImageStream,
  type Partition,
  type PartitionedImages,
  partitionImages,
  readPartition,
  type SweepRow,
  statisticsEncoder,
  sweepClusters,
  writePartition,
} from '@paris/clustering';
import type { FileSource, FileStore } from '@paris/files';
import { encodeJson, sha256 } from '@paris/files';
import { CheckpointError, type Device, key, ValueError } from '@paris/tensor';
import { openManifestFolder, writeCluster, writeLabelled } from '../data/files.js';
import {
  type ClusterItem,
  type DataItem,
  formatOf,
  type LabelledManifest,
  type Manifest,
  rowsOfSplit,
} from '../data/formats.js';
import { imageStream } from '../data/images.js';
import { pickRows, type Rows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { checkRatio, drawOutOfCluster } from './out-of-cluster.js';
import { describePartition, type PartitionReport } from './report.js';

/** How to cluster is as `partitionImages` of `@paris/clustering` takes it: stages, assignment, balance, metric, seed. */
export interface PartitionOptions extends Omit<ClusteringOptions, 'clusters'> {
  device: Device;
  /** K. Either this or `like`. */
  clusters?: number;
  /**
   * A data folder or a model that is partitioned: its centroids place these pictures, too, so that experts trained on them
   * belong to the same model. How to cluster is known then.
   */
  like?: FileSource | undefined;
  /**
   * With `like`: new clusters after those that were there, whose centroids stay. So many, of the pictures that are far from all
   * old centroids; or `all`: these pictures are one new cluster.
   */
  add?: number | 'all' | undefined;
  /** What `prepare` wrote; the folders are written next to it. */
  data: FileStore;
  /** Share of each cluster's folder that is drawn from the other clusters, see `drawOutOfCluster`. Default 0. */
  outOfCluster?: number;
  /** Default: the built-in statistics of colour, layout and edges. */
  encoder?: Encoder;
  /** Bytes of records in one file of a folder at most: folders that need no more have one file. Default 64 MiB. */
  shardBytes?: number | undefined;
  /** Called with 0, then as clusters, held-out pictures and each cluster's folder are done; `total` is K + 4. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Clusters the training pictures and writes `clusters/00/` …, `router/`, `test/` and `partition/`. Held-out pictures
 * do not influence the centroids; they are assigned as new pictures are. Pictures from other clusters, where asked for,
 * are in `clusters/` only: the router learns true clusters. Records are read and written a file at a time; the features of all are held, as f32.
 * @throws ClusteringError for fewer pictures than clusters or another encoder than that of `like`, ValueError for a share
 *   that is none, neither or both of `clusters` and `like`, CheckpointError if `like` is not partitioned, OutputError if
 *   something that we did not write is where the folders go
 */
export async function partitionData(options: PartitionOptions): Promise<PartitionReport> {
  const { device, data, encoder = statisticsEncoder(), outOfCluster = 0, signal, onProgress: hear } = options;
  checkRatio(outOfCluster);
  const onProgress = (done: number, total: number) => {
    signal?.throwIfAborted();
    hear?.(done, total);
  };
  await recoverOutput(data);
  const splits = await readSplits(data);
  const { manifest, rows, train, test } = splits;
  await claimOutput(data, dataFolder, 'partition');
  const old = await oldPartition(options);
  const { add } = options;
  if (add !== undefined && !old) {
    throw new ValueError('partition', 'add is given without like. Say which partition is to grow: --like FOLDER.');
  }
  const clusters = old ? old.clusters + (add === 'all' ? 1 : (add ?? 0)) : options.clusters!;
  const total = clusters + 4;
  onProgress(0, total);

  const images = batch(rows, manifest, train);
  const made = old
    ? await placeLike(device, encoderOf(old, [encoder]), old, images, add)
    : await partitionImages(device, encoder, images, { ...options, clusters });
  const { partition, labels } = made;
  onProgress(1, total);
  const testLabels =
    add === 'all'
      ? test.map(() => clusters - 1)
      : test.length > 0
        ? await assign(device, encoderOf(partition, [encoder]), partition, batch(rows, manifest, test))
        : [];
  onProgress(2, total);

  const replaced = { parts: ['clusters', 'router', 'test', 'partition'], last: 'partition/partition.json' };
  const placed = { ...splits, clusters, partition, labels, testLabels };
  const onCluster = (cluster: number) => onProgress(3 + cluster, total);
  const copied = await replaceOutput(data, dataFolder, replaced, 'partition', (folders) =>
    writeFolders(folders, placed, options, onCluster),
  );
  onProgress(total, total);
  const items = train.map((row) => itemOf(manifest, row));
  return { ...describePartition(made, items, testLabels), outOfCluster: copied };
}

/** Pictures in the clusters of a partition, or in those and new ones. */
function placeLike(
  device: Device,
  encoder: Encoder,
  old: Partition,
  images: ImageStream,
  add: number | 'all' | undefined,
): Promise<PartitionedImages> {
  if (add === undefined) return assignImages(device, encoder, old, images);
  return growPartition(device, encoder, old, images, { add, seed: old.seed });
}

/** The pictures of a data folder, and where each belongs. */
interface Placed extends Splits {
  clusters: number;
  partition: Partition;
  /** Of the pictures for training, and of the held-out ones. */
  labels: Uint32Array;
  testLabels: ArrayLike<number>;
}

/** Writes all folders. Returns how many pictures of other clusters that of each cluster has. */
async function writeFolders(
  folders: FileStore,
  { manifest, rows, train, test, clusters, partition, labels, testLabels }: Placed,
  { outOfCluster = 0, shardBytes, signal }: PartitionOptions,
  onCluster: (cluster: number) => void,
): Promise<number[]> {
  const { seed } = partition;
  const how = { shardBytes, signal };
  const copied: number[] = [];
  const common = {
    version: manifest.version,
    seed,
    ...formatOf(manifest),
    partition: await partitionHash(partition),
  };
  for (let cluster = 0; cluster < clusters; cluster++) {
    const own = train.filter((_, i) => labels[i] === cluster);
    const others = drawOutOfCluster(labels, cluster, outOfCluster, key(seed)).map((i) => train[i]!);
    const { count, items } = clusterItems(manifest, own, others);
    const description = { ...common, cluster, count, outOfCluster, items };
    await writeCluster(folders, description, pickRows(rows, manifest, [...own, ...others]), how);
    copied.push(others.length);
    onCluster(cluster);
  }
  const labelled = (chosen: number[], of: ArrayLike<number>): LabelledManifest => {
    const items = chosen.map((row, i) => ({ ...itemOf(manifest, row), cluster: of[i]! }));
    return { ...common, clusters, count: chosen.length, items };
  };
  await writeLabelled(folders, 'router', labelled(train, labels), pickRows(rows, manifest, train), how);
  await writeLabelled(folders, 'test', labelled(test, testLabels), pickRows(rows, manifest, test), how);
  await writePartition(folders, 'partition', partition);
  signal?.throwIfAborted();
  return copied;
}

function clusterItems(manifest: Manifest, own: readonly number[], others: readonly number[]) {
  const items = [
    ...own.map((row): ClusterItem => itemOf(manifest, row)),
    ...others.map((row): ClusterItem => ({ ...itemOf(manifest, row), outOfCluster: true })),
  ];
  return { count: items.length, items };
}

/** The partition that is taken over, if one is. */
async function oldPartition({ like, clusters, ...how }: PartitionOptions): Promise<Partition | undefined> {
  if (like === undefined) {
    if (clusters !== undefined) return undefined;
    throw new ValueError('partition', 'neither clusters nor like is given. Give the number of clusters.');
  }
  const names = ['stages', 'fine', 'assignment', 'balance', 'metric', 'seed', 'seeding', 'restarts'] as const;
  const extra = clusters !== undefined ? 'clusters' : names.find((name) => how[name] !== undefined);
  if (extra === undefined) return partitionIn(like, 'the folder whose partition is to be taken', 'partition');
  throw new ValueError('partition', `both like and ${extra} are given: the old partition says it. Leave ${extra} out.`);
}

/**
 * The partition of a data folder or a model.
 * @param what - which one, for the message
 * @throws CheckpointError if it has none, or one that is unsound
 */
export async function partitionIn(store: FileSource, what: string, tag: string): Promise<Partition> {
  if (await store.exists('partition/partition.json')) return readPartition(store, 'partition');
  const how = 'there is no partition/partition.json. Run paris partition DATA --clusters N first';
  throw new CheckpointError(tag, `${what} is not partitioned: ${how}.`);
}

/** What {@link sweepPartitions} takes. */
export interface SweepOptions extends Pick<PartitionOptions, 'device' | 'data' | 'encoder' | 'metric' | 'seed'> {
  /** The numbers of clusters to try. */
  clusters: readonly number[];
  /** Called with 0, then after each K. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Clusters the training pictures with several K, to choose one, and writes nothing. If every one of them has a category,
 * each row has the mutual information of clusters and categories.
 * @throws ClusteringError for fewer pictures than clusters
 */
export async function sweepPartitions(options: SweepOptions): Promise<SweepRow[]> {
  const { device, data, encoder = statisticsEncoder(), clusters, metric, seed, onProgress, signal } = options;
  const { manifest, rows, train } = await readSplits(data);
  const features = await encodeImages(encoder, batch(rows, manifest, train));
  const categories = train.flatMap((row) => manifest.items[row]!.category ?? []);
  let done = 0;
  onProgress?.(done, clusters.length);
  return sweepClusters(device, features, encoder.dimensions, clusters, {
    ...(metric ? { metric } : {}),
    ...(seed === undefined ? {} : { seed }),
    ...(categories.length === train.length ? { labels: categories } : {}),
    onRow: () => {
      signal?.throwIfAborted();
      onProgress?.(++done, clusters.length);
    },
  });
}

/** What experts of one model must agree on: SHA-256 of the centroids, and of whatever else decides about clusters. */
export async function partitionHash({ assignment, seed, centroids, fine }: Partition): Promise<string> {
  const of = (data: Float32Array | Uint32Array) =>
    sha256(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
  if (assignment === 'nearest-centroid') return of(centroids);
  const rest = fine ? { fine: await of(fine.centroids), lookup: await of(fine.clusters) } : { seed };
  return sha256(encodeJson({ assignment, centroids: await of(centroids), ...rest }));
}

interface Splits {
  manifest: Manifest;
  rows: Rows;
  /** Rows of the pictures for training, and of the held-out ones. */
  train: number[];
  test: number[];
}

async function readSplits(data: FileSource): Promise<Splits> {
  const { manifest, rows } = await openManifestFolder(data);
  const [train, test] = [rowsOfSplit(manifest, 'train'), rowsOfSplit(manifest, 'test')];
  if (train.length === 0)
    throw new DataError('partition', 'no picture is left for training. Prepare with a lower --holdout.');
  return { manifest, rows, train, test };
}

function batch(rows: Rows, manifest: Manifest, numbers: readonly number[]): ImageStream {
  return imageStream(pickRows(rows, manifest, numbers), manifest);
}

function itemOf(manifest: Manifest, row: number): DataItem {
  const { split: _, ...item } = manifest.items[row]!;
  return item;
}
