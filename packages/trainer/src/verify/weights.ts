// What can be seen of an expert's weights without running it: names and shapes, numbers that are none, and whether two experts are
// one and its copy.
import type { FileSource } from '@paris/files';
import { type HostTensor, readSafetensors } from '@paris/files/safetensors';
import { type Expert, toFlat } from '@paris/model';
import { key } from '@paris/tensor';
import { DataError } from '../errors.js';

/** Weights by path. */
export type Weights = { readonly [path: string]: HostTensor };

/**
 * The weights of a file, all finite, and, if the network is known, exactly its own.
 * @throws DataError that names the expert, and CheckpointError for what is no file of weights
 */
export async function readSoundWeights(
  { name, store, file }: { name: string; store: FileSource; file: string },
  network: Expert | undefined,
): Promise<Weights> {
  const weights = await readSafetensors(store, file);
  for (const [path, { data }] of Object.entries(weights)) {
    const at = firstNotFinite(data);
    if (at < 0) continue;
    throw new DataError('assemble', `${name} is refused: number ${at} of ${path} is ${data[at]}.`);
  }
  if (network) assertOwn(name, weights, network);
  return weights;
}

function firstNotFinite(data: ArrayLike<number | bigint>): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(Number(data[i]))) return i;
  return -1;
}

function assertOwn(name: string, weights: Weights, network: Expert): void {
  const wanted = Object.entries(toFlat(network.init(key(0)))).map(
    ([path, { shape }]) => `${path} [${shape.join(', ')}]`,
  );
  const found = new Set(Object.entries(weights).map(([path, { shape }]) => `${path} [${shape.join(', ')}]`));
  const missing = wanted.find((line) => !found.has(line));
  const extra = [...found].find((line) => !wanted.includes(line));
  if (missing === undefined && extra === undefined) return;
  const what = missing === undefined ? `it holds ${extra}, which its config.json does not have` : `it lacks ${missing}`;
  throw new DataError('assemble', `${name} is refused: ${what}.`);
}

/** At most so many numbers of each tensor are compared. */
const mostNumbers = 4096;

/** Evenly spread numbers of each tensor of more than one dimension: enough to see a copy, small enough to keep for all experts. */
export type Sketch = { readonly [path: string]: Float64Array };

export function sketchOf(weights: Weights): Sketch {
  const matrices = Object.entries(weights).filter(([, { shape }]) => shape.length > 1);
  return Object.fromEntries(
    matrices.map(([path, { data }]) => {
      const count = Math.min(mostNumbers, data.length);
      return [
        path,
        Float64Array.from({ length: count }, (_, i) => Number(data[Math.floor((i * data.length) / count)])),
      ];
    }),
  );
}

/**
 * How alike two experts are: the median over tensors of the correlation of their numbers. Experts that were drawn from different
 * seeds or clusters and trained are near 0, a copy is at 1, a copy with as much noise as there is signal at 0.7.
 */
export function likeness(a: Sketch, b: Sketch): number {
  const found = Object.entries(a).flatMap(([path, numbers]) => {
    const others = Object.hasOwn(b, path) ? b[path]! : undefined;
    const value = others?.length === numbers.length ? correlation(numbers, others) : Number.NaN;
    return Number.isNaN(value) ? [] : [value];
  });
  return found.sort((x, y) => x - y)[found.length >> 1] ?? 0;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [products, squaresA, squaresB] = [0, 0, 0];
  a.forEach((value, i) => {
    products += (value - meanA) * (b[i]! - meanB);
    squaresA += (value - meanA) ** 2;
    squaresB += (b[i]! - meanB) ** 2;
  });
  return products / Math.sqrt(squaresA * squaresB); // NaN for a constant, such as zeros before training
}
