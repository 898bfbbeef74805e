// A data folder → self-contained folders, one for each cluster, one for the router, one of held-out pictures.
import {
  assign,
  type Encoder,
  encoderOf,
  type Partition,
  partitionImages,
  statisticsEncoder,
  writePartition,
} from '@paris/clustering';
import { type Device, key } from '@paris/tensor';
import type { FileStore } from '@paris/tensor/store';
import { type Pictures, readManifestFolder, selectRows, writeCluster, writeLabelled } from './data/files.js';
import { checkRatio, drawOutOfCluster } from './data/out-of-cluster.js';
import { DataError } from './errors.js';
import type { ClusterItem, DataFormat, DataItem, LabelledManifest, Manifest } from './formats/data.js';
import { sha256 } from './formats/json.js';

export interface PartitionOptions {
  device: Device;
  /** What `prepare` wrote; the folders are written beside it. */
  data: FileStore;
  /** K */
  clusters: number;
  seed?: number;
  /** Share of each cluster's folder that is drawn from the other clusters, see `drawOutOfCluster`. Default 0. */
  outOfCluster?: number;
  /** Default: the built-in statistics of colour, layout and edges. */
  encoder?: Encoder;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

export interface PartitionReport {
  partition: Partition;
  /** Training pictures of each cluster. */
  sizes: readonly number[];
  /** How many of other clusters each folder holds besides. */
  outOfCluster: readonly number[];
  /** Held-out pictures of each cluster. */
  testSizes: readonly number[];
}

/**
 * Clusters the training pictures and writes `clusters/00/` …, `router/`, `test/` and `partition/`. Held-out pictures
 * have no say in the centroids; they get the cluster of the nearest one. Pictures from other clusters, where asked for,
 * stand in `clusters/` only: the router learns true clusters.
 * @throws ClusteringError for fewer pictures than clusters, ValueError for a share that is none
 */
export async function partitionData(options: PartitionOptions): Promise<PartitionReport> {
  const { device, data, clusters, seed = 0, outOfCluster = 0, encoder = statisticsEncoder(), signal } = options;
  checkRatio(outOfCluster);
  const onProgress = (done: number, total: number) => {
    signal?.throwIfAborted();
    options.onProgress?.(done, total);
  };
  const { manifest, ...pictures } = await readManifestFolder(data);
  const rows = (split: 'train' | 'test') => manifest.items.flatMap((item, row) => (item.split === split ? [row] : []));
  const [train, test] = [rows('train'), rows('test')];
  if (train.length === 0)
    throw new DataError('partition', 'no picture is left for training. Prepare with a lower --holdout.');
  const total = clusters + 4;
  onProgress(0, total);

  const { partition, labels } = await partitionImages(device, encoder, batch(pictures, manifest, train), {
    clusters,
    seed,
  });
  onProgress(1, total);
  const testLabels =
    test.length > 0
      ? await assign(device, encoderOf(partition, [encoder]), partition, batch(pictures, manifest, test))
      : [];
  onProgress(2, total);

  // Of the partition before: whatever interrupts this one, nothing of both is found side by side.
  for (const folder of ['partition', 'clusters', 'router', 'test']) await data.remove(folder);
  const common = { version: 1 as const, seed, ...formatOf(manifest), partition: await partitionHash(partition) };
  const copied: number[] = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    const own = train.filter((_, i) => labels[i] === cluster);
    const others = drawOutOfCluster(labels, cluster, outOfCluster, key(seed)).map((i) => train[i]!);
    const items = [
      ...own.map((row): ClusterItem => itemOf(manifest, row)),
      ...others.map((row): ClusterItem => ({ ...itemOf(manifest, row), outOfCluster: true })),
    ];
    const rows = [...own, ...others];
    const description = { ...common, cluster, count: rows.length, outOfCluster, items };
    await writeCluster(data, description, selectRows(pictures, manifest, rows));
    copied.push(others.length);
    onProgress(3 + cluster, total);
  }
  const labelled = (chosen: number[], of: ArrayLike<number>): LabelledManifest => {
    const items = chosen.map((row, i) => ({ ...itemOf(manifest, row), cluster: of[i]! }));
    return { ...common, clusters, count: chosen.length, items };
  };
  await writeLabelled(data, 'router', labelled(train, labels), selectRows(pictures, manifest, train));
  await writeLabelled(data, 'test', labelled(test, testLabels), selectRows(pictures, manifest, test));
  await writePartition(data, 'partition', partition); // last: its presence means complete
  onProgress(total, total);
  const testSizes = partition.sizes.map((_, cluster) => Array.from(testLabels).filter((l) => l === cluster).length);
  return { partition, sizes: partition.sizes, outOfCluster: copied, testSizes };
}

/** What experts of one model must agree on: SHA-256 of the centroids. */
export async function partitionHash(partition: Partition): Promise<string> {
  const { buffer, byteOffset, byteLength } = partition.centroids;
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
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
