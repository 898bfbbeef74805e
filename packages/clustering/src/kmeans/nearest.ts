// Which centroid is nearest: one piece of code for training a partition and for placing a new picture.
import { type Device, embedding, type Tensor } from '@paris/tensor';
import { nearestIndex } from './nearest-index.js';
import { meanRow, moved } from './rows.js';

/** How far pictures are from centroids. On unit vectors |a − b|² = 2·(1 − cos(a, b)): spherical is euclidean there. */
export type Metric = 'spherical' | 'euclidean';

/**
 * The nearest centroid's index [N] and the squared distance to it [N], of features [N, D] and centroids [K, D]. The
 * distance is summed up from differences, so that it is 0 for a row that is its centroid. Which one is nearest comes from
 * products, which cancel far from 0: callers move both there first.
 */
export function nearest(features: Tensor, centroids: Tensor): { labels: Tensor; distances: Tensor } {
  const labels = nearestIndex(features, centroids, centroids.square().sum(1).mul(0.5));
  const distances = features.sub(embedding(centroids, labels)).square().sum(1);
  return { labels, distances };
}

/** Rows that are prepared, moved and on the device at once where nothing needs all of them. */
const rowsAtOnce = 2 ** 14;

/**
 * The nearest centroid of each row, and the squared distance to it. A row's result does not depend on other rows.
 * @param features - [N, D]; of them, some thousands are copied at a time
 * @param centroids - [K, D], prepared by {@link prepareRows} for the metric
 * @param metric - for which the rows are still to be prepared. Default: they are
 */
export async function nearestCentroids(
  device: Device,
  features: Float32Array,
  centroids: Float32Array,
  dimensions: number,
  metric: Metric = 'euclidean',
): Promise<Placement> {
  // From the centroids' mean, as k-means measures from that of the rows: it does not depend on the other rows either.
  const origin = meanRow(centroids, dimensions);
  const targets = moved(centroids, origin, -1);
  const count = features.length / dimensions;
  const placement = { labels: new Uint32Array(count), distances: new Float32Array(count) };
  for (let from = 0; from < count; from += rowsAtOnce) {
    const part = features.subarray(from * dimensions, (from + rowsAtOnce) * dimensions);
    const own = moved(prepareRows(part, dimensions, metric), origin, -1);
    using rows = new DeviceRows(device, own, dimensions, centroids.length / dimensions);
    const { labels, distances } = await rows.place(targets);
    placement.labels.set(labels, from);
    placement.distances.set(distances, from);
  }
  return placement;
}

/** Where rows belong. */
export interface Placement {
  /** The nearest centroid of each row, [N]; the lower index of equals. */
  readonly labels: Uint32Array;
  /** The squared distance to it, [N]. */
  readonly distances: Float32Array;
}

/** How many rows one dispatch takes, so that it stays short (about 2³¹ operations) and a buffer below 64 MiB. */
export function chunkLength(clusters: number, dimensions: number): number {
  const most = Math.min(2 ** 30 / (clusters * dimensions), 2 ** 24 / dimensions, 2 ** 16);
  return 2 ** Math.max(6, Math.floor(Math.log2(most)));
}

/** Rows [N, D] that are on the device, in chunks that one dispatch can take. */
export class DeviceRows {
  readonly device: Device;
  readonly count: number;
  readonly dimensions: number;
  /** [≤ chunkLength, D] each */
  readonly chunks: readonly Tensor[];

  /** @param clusters - how many centroids the rows will be compared with at most */
  constructor(device: Device, rows: Float32Array, dimensions: number, clusters: number) {
    this.device = device;
    this.dimensions = dimensions;
    this.count = rows.length / dimensions;
    const length = chunkLength(clusters, dimensions) * dimensions;
    this.chunks = Array.from({ length: Math.ceil(rows.length / length) }, (_, i) => {
      const part = rows.subarray(i * length, (i + 1) * length);
      return device.tensor(part, { shape: [part.length / dimensions, dimensions] });
    });
  }

  async place(centroids: Float32Array): Promise<Placement> {
    const { device, count, dimensions } = this;
    const find = device.compile(nearest);
    using targets = device.tensor(centroids, { shape: [centroids.length / dimensions, dimensions] });
    const labels = new Uint32Array(count);
    const distances = new Float32Array(count);
    let from = 0;
    for (const chunk of this.chunks) {
      const found = await find(chunk, targets);
      labels.set(await found.labels.read(), from);
      distances.set(await found.distances.read(), from);
      found.labels.dispose();
      found.distances.dispose();
      from += chunk.shape[0]!;
    }
    return { labels, distances };
  }

  [Symbol.dispose](): void {
    for (const chunk of this.chunks) chunk.dispose();
  }
}

/** Rows as the metric wants them: scaled to unit length for spherical, as they are for euclidean. */
export function prepareRows(features: Float32Array, dimensions: number, metric: Metric): Float32Array {
  if (metric === 'euclidean') return features;
  const rows = features.slice();
  for (let from = 0; from < rows.length; from += dimensions) {
    const row = rows.subarray(from, from + dimensions);
    let squares = 0;
    for (const value of row) squares += value * value;
    if (squares === 0) continue; // a row of zeros has no direction: equally far from all centroids
    const factor = 1 / Math.sqrt(squares);
    for (let i = 0; i < dimensions; i++) row[i]! *= factor;
  }
  return rows;
}
