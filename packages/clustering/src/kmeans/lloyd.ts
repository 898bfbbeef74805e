// The steps of k-means on the device: assign, then average. Nothing as large as rows × centroids is ever built.
import { arange, concat, type Device, ones, scatterAdd, type Tensor, where, zeros } from '@paris/tensor';
import { type DeviceRows, type Metric, nearest } from './nearest.js';

/** One pass over the rows. */
export interface Step {
  /** The means of the rows that were nearest to each centroid [K, D]; of length 1 if spherical. Where none was, as before. */
  readonly centroids: Float32Array;
  /** How many rows were nearest to each, [K]. */
  readonly counts: Float32Array;
  /** Σ of the squared distances to the centroids before. */
  readonly inertia: number;
  /** Σ of the squared distances that centroids moved. */
  readonly shift: number;
}

/** Lloyd's iteration (Lloyd 1982): each row to its nearest centroid, each centroid to the mean of its rows. */
export function lloyd(device: Device, metric: Metric): (rows: DeviceRows, centroids: Float32Array) => Promise<Step> {
  const sumUp = memberSums(device);
  const means = device.compile(metric === 'spherical' ? sphericalMeans : euclideanMeans);
  return async (rows, centroids) => {
    const { dimensions } = rows.rows;
    const shape = [centroids.length / dimensions, dimensions];
    const [clusters = 0] = shape;
    using current = device.tensor(centroids, { shape });
    const sums = await sumUp(rows, current);
    const result = await means(sums, current);
    const [next, summary] = (await Promise.all([result.centroids.read(), result.summary.read()])) as Float32Array[];
    for (const tensor of [...Object.values(sums), ...Object.values(result)]) tensor.dispose();
    return {
      centroids: next!,
      counts: summary!.slice(0, clusters),
      inertia: summary![clusters]!,
      shift: summary![clusters + 1]!,
    };
  };
}

/** What is summed over the rows of each cluster, chunk by chunk, in the rows' order. */
export interface Sums {
  /** [K, D] */
  readonly sums: Tensor;
  /** [K, 1] */
  readonly counts: Tensor;
  /** [1] */
  readonly inertia: Tensor;
}

/** Sums up rows by the nearest of centroids [K, D]: the same bits, whether a chunk comes as a whole or in pieces. */
export function memberSums(device: Device): (rows: DeviceRows, centroids: Tensor) => Promise<Sums> {
  const begin = device.compile(firstMembers);
  const add = device.compile(moreMembers, { donate: [0] });
  const close = device.compile(addChunk, { donate: [0, 1] });
  return async (rows, centroids) => {
    let sums = emptySums(device, centroids.shape as [number, number]);
    let chunk: Members | undefined;
    let distances: Tensor[] = [];
    for await (const { tensor, endsChunk } of rows.pieces()) {
      const found = chunk ? await add(chunk, tensor, centroids) : await begin(tensor, centroids);
      chunk = found.members;
      distances.push(found.distances);
      if (!endsChunk) continue;
      sums = await close(sums, chunk, distances);
      for (const tensor of distances) tensor.dispose();
      chunk = undefined;
      distances = [];
    }
    return sums;
  };
}

function emptySums(device: Device, [clusters, dimensions]: readonly [number, number]): Sums {
  const zeros = (shape: number[]) =>
    device.tensor(new Float32Array(shape.reduce((size, n) => size * n, 1)), { shape }) as Tensor;
  return { sums: zeros([clusters, dimensions]), counts: zeros([clusters, 1]), inertia: zeros([1]) };
}

/** Of the rows of a chunk so far. */
type Members = Omit<Sums, 'inertia'>;

function firstMembers(rows: Tensor, centroids: Tensor): { members: Members; distances: Tensor } {
  const [clusters = 0] = centroids.shape;
  const { labels, distances } = nearest(rows, centroids);
  const counts = scatterAdd(ones([rows.shape[0]!, 1]), labels, clusters);
  return { members: { sums: scatterAdd(rows, labels, clusters), counts }, distances };
}

/** `scatterAdd` sums up blocks of so many rows, then the blocks' sums, one after the other. */
const blockRows = 512;

/**
 * Pieces have whole blocks, and the sums so far go before them as rows in blocks of their own: they are added to in the order in
 * which the rows of a whole chunk are.
 */
function moreMembers(before: Members, rows: Tensor, centroids: Tensor): { members: Members; distances: Tensor } {
  const [clusters = 0, dimensions = 0] = centroids.shape;
  const { labels, distances } = nearest(rows, centroids);
  const filling = (blockRows - (clusters % blockRows)) % blockRows;
  const all = [before.sums, ...(filling > 0 ? [zeros([filling, dimensions])] : []), rows];
  const own = [arange(clusters, 'u32'), ...(filling > 0 ? [zeros([filling], 'u32')] : []), labels];
  const counts = before.counts.add(scatterAdd(ones([rows.shape[0]!, 1]), labels, clusters));
  return { members: { sums: scatterAdd(concat(all, 0), concat(own, 0), clusters), counts }, distances };
}

function addChunk(before: Sums, chunk: Members, distances: readonly Tensor[]): Sums {
  return {
    sums: before.sums.add(chunk.sums),
    counts: before.counts.add(chunk.counts),
    inertia: before.inertia.add(concat(distances, 0).sum().reshape([1])),
  };
}

const euclideanMeans = (sums: Sums, centroids: Tensor) => summarise(sums, centroids, false);
const sphericalMeans = (sums: Sums, centroids: Tensor) => summarise(sums, centroids, true);

function summarise({ sums, counts, inertia }: Sums, centroids: Tensor, unit: boolean) {
  const means = sums.div(counts.maximum(1)); // [K, D]
  // Spherical k-means (Dhillon & Modha 2001): the mean direction. The floor only matters for rows that cancel out.
  const scale = means.square().sum(1, { keepDims: true }).maximum(1e-20).pow(-0.5);
  const next = where(counts.greater(0), unit ? means.mul(scale) : means, centroids);
  const shift = next.sub(centroids).square().sum();
  return { centroids: next, summary: concat([counts.reshape([-1]), inertia, shift.reshape([1])], 0) };
}
