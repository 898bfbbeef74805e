// A data folder → self-contained folders, one for each cluster, one for the router, one of held-out pictures.
import {
  assign,
  assignImages,
  type ClusteringOptions,
  type Encoder,
  encodeBatches,
  encoderOf,
  type FeatureKeeper,
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
import { type ClusterItem, type DataItem, formatOf, type Manifest, type ManifestItem } from '../data/formats.js';
import { imageStream } from '../data/images.js';
import { categoriesOf, type Items, mapItems, pickItems } from '../data/items.js';
import { Numbers } from '../data/numbers.js';
import { pickRows, type Rows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput, withScratch } from '../output/replace.js';
import { featureKeeper } from './features.js';
import { checkRatio, drawOutOfCluster } from './out-of-cluster.js';
import { describePartition, type PartitionReport } from './report.js';

/** How to cluster is as `partitionImages` of `@paris/clustering` takes it: stages, assignment, balance, metric, seed. */
export interface PartitionOptions extends Omit<ClusteringOptions, 'clusters' | 'keep'> {
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
  /**
   * Bytes of records in one file of a folder at most: folders that need no more have one file. Features that need no more are in
   * memory, others in a file that is removed in the end; the clusters are the same. Default 64 MiB.
   */
  shardBytes?: number | undefined;
  /** Called with 0, then as clusters, held-out pictures and each cluster's folder are done; `total` is K + 4. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Clusters the training pictures and writes `clusters/00/` …, `router/`, `test/` and `partition/`. Held-out pictures
 * do not influence the centroids; they are assigned as new pictures are. Pictures from other clusters, where asked for,
 * are in `clusters/` only: the router learns true clusters. Records are read and written a file at a time, features that are more
 * than `shardBytes` some megabytes at a time; with `balance` and one stage, the distances of all pictures to all centroids are held.
 * @throws ClusteringError for fewer pictures than clusters or another encoder than that of `like`, ValueError for a share
 *   that is none, neither or both of `clusters` and `like`, CheckpointError if `like` is not partitioned, OutputError if
 *   something that we did not write is where the folders go, FileLockedError if another process writes there
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

  const { report, ...found } = await withFeatures(options, async (keep) => {
    const images = batch(rows, manifest, train);
    const made = old
      ? await placeLike(device, encoderOf(old, [encoder]), old, images, { add, keep })
      : await partitionImages(device, encoder, images, { ...options, clusters, keep });
    const { partition, labels } = made;
    onProgress(1, total);
    const testLabels =
      add === 'all'
        ? test.map(() => clusters - 1)
        : test.length > 0
          ? await assign(device, encoderOf(partition, [encoder]), partition, batch(rows, manifest, test))
          : [];
    onProgress(2, total);
    const report = await describePartition(made, pickItems(splits.items, train), testLabels);
    return { partition, labels, testLabels, report };
  });

  const replaced = { parts: ['clusters', 'router', 'test', 'partition'], last: LAST };
  const placed = { ...splits, clusters, ...found };
  const onCluster = (cluster: number) => onProgress(3 + cluster, total);
  const copied = await replaceOutput(data, dataFolder, replaced, 'partition', (folders) =>
    writeFolders(folders, placed, options, onCluster),
  );
  onProgress(total, total);
  return { ...report, outOfCluster: copied };
}

/** The file whose presence means that all folders are complete. */
const LAST = 'partition/partition.json';

/** Calls `work` with where features are kept; afterwards they are no longer there. */
function withFeatures<T>(
  { data, shardBytes, signal }: Pick<PartitionOptions, 'data' | 'shardBytes' | 'signal'>,
  work: (keep: FeatureKeeper) => Promise<T>,
): Promise<T> {
  return withScratch(data, LAST, (scratch) => work(featureKeeper(scratch, { bytes: shardBytes, signal })));
}

/** Pictures in the clusters of a partition, or in those and new ones. */
function placeLike(
  device: Device,
  encoder: Encoder,
  old: Partition,
  images: ImageStream,
  { add, keep }: { add: number | 'all' | undefined; keep: FeatureKeeper },
): Promise<PartitionedImages> {
  if (add === undefined) return assignImages(device, encoder, old, images, keep);
  return growPartition(device, encoder, old, images, { add, seed: old.seed, keep });
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
  { manifest, rows, items, train, test, clusters, partition, labels, testLabels }: Placed,
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
    const chosen = new Uint32Array(own.length + others.length);
    chosen.set(own);
    chosen.set(others, own.length);
    const of = mapItems(pickItems(items, chosen), (item, i): ClusterItem => {
      return i < own.length ? plain(item) : { ...plain(item), outOfCluster: true };
    });
    const description = { ...common, cluster, count: chosen.length, outOfCluster, items: of };
    await writeCluster(folders, description, pickRows(rows, manifest, chosen), how);
    copied.push(others.length);
    onCluster(cluster);
  }
  const labelled = (chosen: Uint32Array, of: ArrayLike<number>) => {
    const own = mapItems(pickItems(items, chosen), (item, i) => ({ ...plain(item), cluster: of[i]! }));
    return { ...common, clusters, count: chosen.length, items: own };
  };
  await writeLabelled(folders, 'router', labelled(train, labels), pickRows(rows, manifest, train), how);
  await writeLabelled(folders, 'test', labelled(test, testLabels), pickRows(rows, manifest, test), how);
  await writePartition(folders, 'partition', partition);
  signal?.throwIfAborted();
  return copied;
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
 * @param data - how one names the data folder on a command line
 * @throws CheckpointError if it has none, or one that is unsound
 */
export async function partitionIn(store: FileSource, what: string, tag: string, data = 'DATA'): Promise<Partition> {
  if (await store.exists('partition/partition.json')) return readPartition(store, 'partition');
  const how = `there is no partition/partition.json. Run paris partition ${data} --clusters N first`;
  throw new CheckpointError(tag, `${what} is not partitioned: ${how}.`);
}

/** What {@link sweepPartitions} takes. */
export interface SweepOptions
  extends Pick<PartitionOptions, 'device' | 'data' | 'encoder' | 'metric' | 'seed' | 'shardBytes'> {
  /** The numbers of clusters to try. */
  clusters: readonly number[];
  /** Called with 0, then after each K. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Clusters the training pictures with several K, to choose one, and writes nothing but the file in which features of more than
 * `shardBytes` are meanwhile. If every picture has a category, each row has the mutual information of clusters and categories.
 * @throws ClusteringError for fewer pictures than clusters, FileLockedError for such a file while another process writes there
 */
export async function sweepPartitions(options: SweepOptions): Promise<SweepRow[]> {
  const { device, data, encoder = statisticsEncoder(), clusters, metric, seed, onProgress, signal } = options;
  const { manifest, rows, items, train } = await readSplits(data);
  const categories = (await categoriesOf(pickItems(items, train))).flatMap((category) => category ?? []);
  return withFeatures(options, async (keep) => {
    const { dimensions } = encoder;
    const images = batch(rows, manifest, train);
    const features = await keep(encodeBatches(encoder, images), { count: images.count, dimensions });
    let done = 0;
    onProgress?.(done, clusters.length);
    return sweepClusters(device, features, dimensions, clusters, {
      ...(metric ? { metric } : {}),
      ...(seed === undefined ? {} : { seed }),
      ...(categories.length === train.length ? { labels: categories } : {}),
      onRow: () => {
        signal?.throwIfAborted();
        onProgress?.(++done, clusters.length);
      },
    });
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
  items: Items<ManifestItem>;
  /** Rows of the pictures for training, and of the held-out ones. */
  train: Uint32Array;
  test: Uint32Array;
}

async function readSplits(data: FileSource): Promise<Splits> {
  const { manifest, rows, items } = await openManifestFolder(data);
  const [train, test] = await rowsBySplit(items);
  if (train.length === 0)
    throw new DataError('partition', 'no picture is left for training. Prepare with a lower --holdout.');
  return { manifest, rows, items, train, test };
}

/** For training, and held out. */
async function rowsBySplit(items: Items<ManifestItem>): Promise<[train: Uint32Array, test: Uint32Array]> {
  const [train, test] = [new Numbers(), new Numbers()];
  let row = 0;
  for await (const { split } of items) (split === 'train' ? train : test).push(row++);
  return [train.all(), test.all()];
}

function batch(rows: Rows, manifest: Manifest, numbers: ArrayLike<number>): ImageStream {
  return imageStream(pickRows(rows, manifest, numbers), manifest);
}

function plain({ split: _, ...item }: ManifestItem): DataItem {
  return item;
}
