// Which centroid is nearest: one piece of code for training a partition and for placing a new picture.
import { type Device, embedding, type Tensor } from '@paris/tensor';
import { type FeatureRows, featureRows, pieceLength, piecesOf } from '../feature-rows.js';
import { checkReach } from './check.js';
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

/**
 * The nearest centroid of each row, and the squared distance to it. A row's result does not depend on other rows.
 * @param rows - some thousands are read and copied at a time
 * @param centroids - [K, D], prepared by {@link prepareRows} for the metric
 * @param metric - for which the rows are still to be prepared. Default: they are
 * @throws ClusteringError for rows or centroids so far from the centroids' mean that distances overflow
 */
export async function nearestCentroids(
  device: Device,
  rows: FeatureRows,
  centroids: Float32Array,
  metric: Metric = 'euclidean',
): Promise<Placement> {
  const { count, dimensions } = rows;
  // From the centroids' mean, as k-means measures from that of the rows: it does not depend on the other rows either.
  const origin = await meanRow(featureRows(centroids, dimensions));
  const targets = checkReach(moved(centroids, origin, -1), dimensions, 1);
  const placement = { labels: new Uint32Array(count), distances: new Float32Array(count) };
  for await (const { from, piece } of piecesOf(rows)) {
    const own = checkReach(moved(prepareRows(piece, dimensions, metric), origin, -1), dimensions, 1);
    using data = new DeviceRows(device, featureRows(own, dimensions), centroids.length / dimensions);
    const { labels, distances } = await data.place(targets);
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

/** Rows on the device that follow those before them. */
export interface DevicePiece {
  /** The number of the first. */
  readonly from: number;
  /** [≤ chunkLength, D] */
  readonly tensor: Tensor;
  /** Whether a chunk, or all, ends with them. */
  readonly endsChunk: boolean;
}

/**
 * Rows [N, D] on the device, in chunks that one dispatch can take. Those that are in memory stay there, a chunk a tensor; others
 * are read at each pass, and a chunk comes in pieces.
 */
export class DeviceRows {
  readonly device: Device;
  readonly rows: FeatureRows;
  /** Rows of a chunk. */
  readonly chunk: number;
  readonly #kept: readonly DevicePiece[] | undefined;

  /** @param clusters - how many centroids the rows will be compared with at most */
  constructor(device: Device, rows: FeatureRows, clusters: number) {
    this.device = device;
    this.rows = rows;
    this.chunk = chunkLength(clusters, rows.dimensions);
    const { values, count, dimensions } = rows;
    this.#kept =
      values &&
      Array.from({ length: Math.ceil(count / this.chunk) }, (_, i) => {
        const from = i * this.chunk;
        return this.#upload(from, values.subarray(from * dimensions, (from + this.chunk) * dimensions));
      });
  }

  /**
   * All rows, in order. A piece is no longer there when the next is asked for.
   * @param most - rows of a piece that is read at most
   */
  async *pieces(most: number = pieceLength(this.rows.dimensions)): AsyncGenerator<DevicePiece> {
    if (this.#kept) {
      yield* this.#kept;
      return;
    }
    for await (const { from, piece } of piecesOf(this.rows, Math.min(most, this.chunk))) {
      const uploaded = this.#upload(from, piece);
      try {
        yield uploaded;
      } finally {
        uploaded.tensor.dispose();
      }
    }
  }

  async place(centroids: Float32Array): Promise<Placement> {
    const { device } = this;
    const { count, dimensions } = this.rows;
    const find = device.compile(nearest);
    using targets = device.tensor(centroids, { shape: [centroids.length / dimensions, dimensions] });
    const labels = new Uint32Array(count);
    const distances = new Float32Array(count);
    for await (const { from, tensor } of this.pieces()) {
      const found = await find(tensor, targets);
      labels.set(await found.labels.read(), from);
      distances.set(await found.distances.read(), from);
      found.labels.dispose();
      found.distances.dispose();
    }
    return { labels, distances };
  }

  [Symbol.dispose](): void {
    for (const { tensor } of this.#kept ?? []) tensor.dispose();
  }

  #upload(from: number, values: Float32Array): DevicePiece {
    const { count, dimensions } = this.rows;
    const rows = values.length / dimensions;
    const end = from + rows;
    const tensor = this.device.tensor(values, { shape: [rows, dimensions] });
    return { from, tensor, endsChunk: end % this.chunk === 0 || end === count };
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
