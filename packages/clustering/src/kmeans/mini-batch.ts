// k-means of more rows than memory holds.
import { type Device, type Key, key } from '@paris/tensor';
import { drawIndex, draws } from '../draws.js';
import { ClusteringError } from '../errors.js';
import { type FeatureRows, featureRows, piecesOf } from '../feature-rows.js';
import { checkCount, checkFeatures, checkFilled, checkOptions, tooFew } from './check.js';
import { type Frame, frameOf } from './frame.js';
import { emptyOf, type KMeansOptions, type KMeansResult, kMeans, reseed, sizesOf } from './kmeans.js';
import { memberSums } from './lloyd.js';
import { DeviceRows, type Metric, nearestCentroids, prepareRows } from './nearest.js';

const tag = 'kMeansMiniBatch';

/** Rows in pieces [n, D] of any length, from the start at each call; the same rows in the same order each time. */
export type RowSource = () => AsyncIterable<Float32Array> | Iterable<Float32Array>;

/** As {@link KMeansOptions}, with passes over batches of rows in place of iterations over all of them. */
export interface MiniBatchOptions extends Omit<KMeansOptions, 'maxIterations' | 'tolerance'> {
  /** Rows per batch. Default 4,096. */
  readonly batchSize?: number;
  /** Passes over all rows, at most. Default 10. */
  readonly epochs?: number;
  /** Stop when the mean squared distance falls by less than this share in a pass. Default 1e-3. */
  readonly tolerance?: number;
  /** Rows of the sample that is clustered first. Default 16,384, or 16 · K where that is more. */
  readonly sampleRows?: number;
}

/**
 * Mini-batch k-means (Sculley 2010, "Web-scale k-means clustering"): a centroid is the mean of all rows it ever took,
 * those of a batch at once, which is Sculley's learning rate of 1 / (rows so far). Two more passes are made: the first
 * keeps a sample of the rows (reservoir sampling, Vitter 1985), whose clusters, by {@link kMeans} with `seeding` and
 * `restarts`, are where the batches start; the last labels all rows. In memory are a
 * batch, the sample and a label for each row. Rows that come sorted make worse centroids: shuffle them once.
 * @returns as {@link kMeans} does; `iterations` are the passes, and `restart` is 0
 * @throws ClusteringError as {@link kMeans} does; if a later pass has other numbers of rows
 */
export async function kMeansMiniBatch(
  device: Device,
  source: RowSource | FeatureRows,
  dimensions: number,
  options: MiniBatchOptions,
): Promise<KMeansResult> {
  const { clusters, metric = 'spherical', seeding = 'k-means++', initial, seed = 0, restarts = 3 } = options;
  const { batchSize = 4096, epochs = 10, tolerance = 1e-3 } = options;
  const { sampleRows = Math.max(16_384, 16 * clusters) } = options;
  checkOptions(tag, dimensions, { clusters, tolerance, restarts, metric, seeding, ...(initial ? { initial } : {}) });
  for (const [name, value] of Object.entries({ batchSize, epochs, sampleRows })) checkCount(tag, name, value);
  const pieces = typeof source === 'function' ? source : () => valuesOf(source);
  const batches = () => inBatches(pieces(), dimensions, batchSize);
  const { sample, count } = await reservoir(batches(), dimensions, sampleRows, key(seed).foldIn(restarts));
  if (count < clusters) throw tooFew(count, clusters, 'pictures', tag);
  const frame = await frameOf(featureRows(sample, dimensions), metric);
  const kept = featureRows(frame.enter(sample), dimensions);
  const start = { clusters, metric, seeding, seed, restarts };
  const first = initial ? frame.enterCentroids(initial).slice() : undefined;
  let centroids = first ?? (await kMeans(device, kept, dimensions, start)).centroids;

  const pass = epoch(device, dimensions, metric, frame);
  const taken = new Float64Array(clusters); // rows that each centroid is the mean of
  let iterations = 0;
  let before = Number.POSITIVE_INFINITY;
  for (let converged = false; iterations < epochs && !converged; iterations++) {
    const { counts, inertia, ...moved } = await pass(batches(), centroids, taken);
    centroids = moved.centroids;
    const empty = emptyOf(counts);
    if (empty.length > 0) {
      await reseed(centroids, empty, kept, (await nearestCentroids(device, kept, centroids)).distances);
      for (const k of empty) taken[k] = 0;
    }
    converged = empty.length === 0 && before - inertia <= tolerance * inertia;
    before = inertia;
  }
  const placed = await label(device, batches(), centroids, dimensions, { frame, count });
  const sizes = sizesOf(placed.labels, clusters);
  await checkFilled(tag, { rows: kept, metric }, sizes);
  return {
    centroids: frame.leave(centroids),
    ...placed,
    sizes,
    iterations,
    restart: 0,
  };
}

/** One pass: each batch moves the centroids. Changes `taken`. */
function epoch(device: Device, dimensions: number, metric: Metric, frame: Frame) {
  const sumUp = memberSums(device);
  return async (batches: AsyncIterable<Float32Array>, start: Float32Array, taken: Float64Array) => {
    let centroids = start;
    const counts = new Float64Array(taken.length);
    let inertia = 0;
    for await (const batch of batches) {
      using rows = new DeviceRows(device, featureRows(frame.enter(batch), dimensions), taken.length);
      using current = device.tensor(centroids, { shape: [taken.length, dimensions] });
      const tensors = await sumUp(rows, current);
      const read = [tensors.sums.read(), tensors.counts.read(), tensors.inertia.read()];
      const [sums, sizes, distances] = (await Promise.all(read)) as [Float32Array, Float32Array, Float32Array];
      for (const tensor of Object.values(tensors)) tensor.dispose();
      inertia += distances[0]!;
      for (const [k, size] of sizes.entries()) {
        if (size === 0) continue;
        counts[k]! += size;
        taken[k]! += size;
        const rate = size / taken[k]!;
        for (let i = k * dimensions; i < (k + 1) * dimensions; i++) {
          centroids[i]! += rate * (sums[i]! / size - centroids[i]!);
        }
      }
      centroids = prepareRows(centroids, dimensions, metric);
    }
    return { centroids, counts, inertia };
  };
}

/** The last pass: the cluster of every row. */
async function label(
  device: Device,
  batches: AsyncIterable<Float32Array>,
  centroids: Float32Array,
  dimensions: number,
  { frame, count }: { frame: Frame; count: number },
): Promise<{ labels: Uint32Array; inertia: number }> {
  const labels = new Uint32Array(count);
  let inertia = 0;
  let from = 0;
  for await (const batch of batches) {
    const placed = await nearestCentroids(device, featureRows(frame.enter(batch), dimensions), centroids);
    if (from + placed.labels.length > count) throw changed(count, `${from + placed.labels.length} or more`);
    labels.set(placed.labels, from);
    for (const distance of placed.distances) inertia += distance;
    from += placed.labels.length;
  }
  if (from !== count) throw changed(count, `${from}`);
  return { labels, inertia };
}

async function* valuesOf(rows: FeatureRows): AsyncGenerator<Float32Array> {
  for await (const { piece } of piecesOf(rows)) yield piece;
}

/** The same rows in batches of one length; only the last is shorter. */
async function* inBatches(
  pieces: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  dimensions: number,
  batchSize: number,
): AsyncGenerator<Float32Array> {
  const length = batchSize * dimensions;
  let batch = new Float32Array(length);
  let filled = 0;
  for await (const piece of pieces) {
    checkFeatures(tag, piece, dimensions);
    for (let from = 0; from < piece.length; ) {
      const part = piece.subarray(from, from + length - filled);
      batch.set(part, filled);
      from += part.length;
      filled += part.length;
      if (filled < length) continue;
      yield batch;
      batch = new Float32Array(length);
      filled = 0;
    }
  }
  if (filled > 0) yield batch.slice(0, filled);
}

/** Rows of which every one is kept with equal probability (Vitter 1985, algorithm R), and how many there were. */
async function reservoir(
  batches: AsyncIterable<Float32Array>,
  dimensions: number,
  most: number,
  sampleKey: Key,
): Promise<{ sample: Float32Array; count: number }> {
  const next = draws(sampleKey);
  const kept: Float32Array[] = [];
  let count = 0;
  for await (const batch of batches) {
    for (let from = 0; from < batch.length; from += dimensions) {
      const row = batch.slice(from, from + dimensions);
      count++;
      if (kept.length < most) kept.push(row);
      else {
        const place = drawIndex(next, count);
        if (place < most) kept[place] = row;
      }
    }
  }
  const sample = new Float32Array(kept.length * dimensions);
  for (const [i, row] of kept.entries()) sample.set(row, i * dimensions);
  return { sample, count };
}

function changed(count: number, now: string): ClusteringError {
  const fix = 'Let the source give the same rows at each call.';
  return new ClusteringError(tag, `the first pass had ${count} rows, the last has ${now}. ${fix}`);
}
