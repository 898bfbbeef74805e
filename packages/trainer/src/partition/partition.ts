// A data folder → self-contained folders, one for each cluster, one for the router, one of held-out pictures.
import {
  assign,
  type ClusteringOptions,
  type Encoder,
  encoderOf,
  type Partition,
  partitionImages,
  type SweepRow,
  statisticsEncoder,
  sweepClusters,
  writePartition,
} from '@paris/clustering';
import type { FileSource, FileStore } from '@paris/files';
import { encodeJson, sha256 } from '@paris/files';
import { type Device, key } from '@paris/tensor';
import { readManifestFolder, writeCluster, writeLabelled } from '../data/files.js';
import type { ClusterItem, DataFormat, DataItem, LabelledManifest, Manifest } from '../data/formats.js';
import { type Pictures, selectRows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { checkRatio, drawOutOfCluster } from './out-of-cluster.js';
import { describePartition, type PartitionReport } from './report.js';

/** How to cluster is as `partitionImages` of `@paris/clustering` takes it: K, stages, assignment, balance, metric, seed. */
export interface PartitionOptions extends ClusteringOptions {
  device: Device;
  /** What `prepare` wrote; the folders are written beside it. */
  data: FileStore;
  /** Share of each cluster's folder that is drawn from the other clusters, see `drawOutOfCluster`. Default 0. */
  outOfCluster?: number;
  /** Default: the built-in statistics of colour, layout and edges. */
  encoder?: Encoder;
  /** Called with 0, then as clusters, held-out pictures and each cluster's folder are done; `total` is K + 4. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Clusters the training pictures and writes `clusters/00/` …, `router/`, `test/` and `partition/`. Held-out pictures
 * have no say in the centroids; they are assigned as new pictures are. Pictures from other clusters, where asked for,
 * stand in `clusters/` only: the router learns true clusters.
 * @throws ClusteringError for fewer pictures than clusters, ValueError for a share that is none, OutputError if something
 *   that we did not write is where the folders go
 */
export async function partitionData(options: PartitionOptions): Promise<PartitionReport> {
  const { device, data, encoder = statisticsEncoder(), outOfCluster = 0, signal, onProgress: hear, ...how } = options;
  const { clusters, seed = 0 } = how;
  checkRatio(outOfCluster);
  const onProgress = (done: number, total: number) => {
    signal?.throwIfAborted();
    hear?.(done, total);
  };
  await recoverOutput(data);
  const { manifest, pictures, train, test } = await readSplits(data);
  await claimOutput(data, dataFolder, 'partition');
  const total = clusters + 4;
  onProgress(0, total);

  const made = await partitionImages(device, encoder, batch(pictures, manifest, train), how);
  const { partition, labels } = made;
  onProgress(1, total);
  const testLabels =
    test.length > 0
      ? await assign(device, encoderOf(partition, [encoder]), partition, batch(pictures, manifest, test))
      : [];
  onProgress(2, total);

  const common = { version: 1 as const, seed, ...formatOf(manifest), partition: await partitionHash(partition) };
  const copied: number[] = [];
  const replaced = { parts: ['clusters', 'router', 'test', 'partition'], last: 'partition/partition.json' };
  await replaceOutput(data, dataFolder, replaced, 'partition', async (folders) => {
    for (let cluster = 0; cluster < clusters; cluster++) {
      const own = train.filter((_, i) => labels[i] === cluster);
      const others = drawOutOfCluster(labels, cluster, outOfCluster, key(seed)).map((i) => train[i]!);
      const items = [
        ...own.map((row): ClusterItem => itemOf(manifest, row)),
        ...others.map((row): ClusterItem => ({ ...itemOf(manifest, row), outOfCluster: true })),
      ];
      const rows = [...own, ...others];
      const description = { ...common, cluster, count: rows.length, outOfCluster, items };
      await writeCluster(folders, description, selectRows(pictures, manifest, rows));
      copied.push(others.length);
      onProgress(3 + cluster, total);
    }
    const labelled = (chosen: number[], of: ArrayLike<number>): LabelledManifest => {
      const items = chosen.map((row, i) => ({ ...itemOf(manifest, row), cluster: of[i]! }));
      return { ...common, clusters, count: chosen.length, items };
    };
    await writeLabelled(folders, 'router', labelled(train, labels), selectRows(pictures, manifest, train));
    await writeLabelled(folders, 'test', labelled(test, testLabels), selectRows(pictures, manifest, test));
    await writePartition(folders, 'partition', partition);
    signal?.throwIfAborted();
  });
  onProgress(total, total);
  const items = train.map((row) => itemOf(manifest, row));
  return { ...describePartition(made, items, testLabels), outOfCluster: copied };
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
 * each row says what clusters tell about it.
 * @throws ClusteringError for fewer pictures than clusters
 */
export async function sweepPartitions(options: SweepOptions): Promise<SweepRow[]> {
  const { device, data, encoder = statisticsEncoder(), clusters, metric, seed, onProgress, signal } = options;
  const { manifest, pictures, train } = await readSplits(data);
  const features = await encoder.encode(batch(pictures, manifest, train));
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

async function readSplits(data: FileSource) {
  const { manifest, ...pictures } = await readManifestFolder(data);
  const rows = (split: 'train' | 'test') => manifest.items.flatMap((item, row) => (item.split === split ? [row] : []));
  const [train, test] = [rows('train'), rows('test')];
  if (train.length === 0)
    throw new DataError('partition', 'no picture is left for training. Prepare with a lower --holdout.');
  return { manifest, pictures, train, test };
}

function batch(pictures: Pictures, manifest: Manifest, rows: number[]) {
  return { pixels: selectRows(pictures, manifest, rows).pixels, count: rows.length, size: manifest.size };
}

function formatOf({ size, channels, maxTokens, normalization, vocabulary }: DataFormat): DataFormat {
  return { size, channels, maxTokens, normalization, vocabulary };
}

function itemOf(manifest: Manifest, row: number): DataItem {
  const { split: _, ...item } = manifest.items[row]!;
  return item;
}
