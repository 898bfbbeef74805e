// The real pictures that drawn ones are measured against: those that were held out, and those that were learned.
import { type Encoder, encodeImages } from '@paris/clustering';
import type { FileSource } from '@paris/files';
import type { RgbImage } from '@paris/sampler';
import { hostUniform, type Key } from '@paris/tensor';
import { readLabelled } from '../data/files.js';
import { imageStream } from '../data/images.js';
import { DataError } from '../errors.js';
import { reduced } from '../prepare/reduced.js';
import { type LabelledData, withoutClusters } from './without-clusters.js';

/** Real pictures as features of one encoder. */
export interface RealPictures {
  encoder: Encoder;
  test: LabelledData;
  train: LabelledData;
  /** Where in `router` each training picture is. */
  places: readonly number[];
  /** Edge length of what a model draws: next to latents, the pictures of the data are small ones. */
  drawnSize: number;
  /** Features of the held-out pictures, [N, D]. */
  heldOut: Float32Array;
  /** Features of the training pictures, [N, D]. */
  learned: Float32Array;
}

/**
 * The features of `test` and `router` of a data folder.
 * @param absent - clusters whose pictures are left out
 * @throws DataError with fewer than 7 held-out or 3 training pictures
 */
export async function readRealPictures(
  data: FileSource,
  encoder: Encoder,
  absent: readonly number[] = [],
): Promise<RealPictures> {
  const test = withoutClusters(await readLabelled(data, 'test'), absent);
  const train = withoutClusters(await readLabelled(data, 'router'), absent);
  if (test.manifest.count < 7 || train.manifest.count < 3) {
    const got = `${test.manifest.count} held-out and ${train.manifest.count} training pictures`;
    throw new DataError('evaluate', `${got} are too few to compare with. Prepare more, or with a larger --holdout.`);
  }
  const all = ({ rows, manifest }: typeof test) => encodeImages(encoder, imageStream(rows, manifest));
  const [heldOut, learned] = [await all(test), await all(train)];
  const drawnSize = test.manifest.latents?.pictureSize ?? test.manifest.size;
  const { places } = train;
  return { encoder, test, train, places, drawnSize, heldOut, learned };
}

/** Features [M, D] of drawn pictures. */
export async function featuresOf(
  { encoder, drawnSize, test }: RealPictures,
  images: readonly RgbImage[],
): Promise<Float32Array> {
  const { size } = test.manifest;
  const pixels = reduced(planes(images, drawnSize), drawnSize, size);
  return encodeImages(encoder, { pixels, count: images.length, size });
}

/**
 * Rows of held-out pictures whose captions are drawn: all of them in turn, in an order that the key decides. Every n-th row would
 * miss kinds of pictures in a folder where kinds alternate.
 */
export function drawnRows({ manifest: { count: all } }: LabelledData, count: number, key: Key): number[] {
  const order = shuffled(all, key);
  return Array.from({ length: count }, (_, i) => order[i % all]!);
}

/** `count` rows of features, in an order that the key decides; all of them where there are no more. */
export function someRows(rows: Float32Array, dimensions: number, count: number, key: Key): Float32Array {
  const order = shuffled(rows.length / dimensions, key).slice(0, count);
  return Float32Array.from(order.flatMap((row) => [...rows.subarray(row * dimensions, (row + 1) * dimensions)]));
}

/** The numbers below `count` in an order that the key decides. */
export function shuffled(count: number, key: Key): number[] {
  const draws = hostUniform(key, count);
  return [...draws.keys()].sort((a, b) => draws[a]! - draws[b]! || a - b);
}

/** u8 [N, 3, size, size] of interleaved pictures. */
function planes(images: readonly RgbImage[], size: number): Uint8Array {
  const area = size * size;
  const pixels = new Uint8Array(images.length * 3 * area);
  for (const [i, { data }] of images.entries()) {
    for (const [at, value] of data.entries()) pixels[(3 * i + (at % 3)) * area + Math.floor(at / 3)] = value;
  }
  return pixels;
}
