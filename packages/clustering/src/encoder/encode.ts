// The features of pictures, at once or a batch at a time.
import { ClusteringError } from '../errors.js';
import { type FeatureRows, featureRows } from '../feature-rows.js';
import type { Encoder, ImageBatch, ImageStream } from './encoder.js';

/** Each batch of the pictures. */
export async function* batchesOf(images: ImageBatch | ImageStream): AsyncGenerator<ImageBatch> {
  if ('pixels' in images) yield images;
  else yield* images.batches();
}

/**
 * The features of each batch of pictures, [n, D]. In memory is one batch at a time.
 * @throws ClusteringError for an encoder that gives another number of features, or a stream that gives another number of pictures
 */
export async function* encodeBatches(
  encoder: Encoder,
  images: ImageBatch | ImageStream,
): AsyncGenerator<Float32Array, void, undefined> {
  const { dimensions, name } = encoder;
  let done = 0;
  for await (const batch of batchesOf(images)) {
    const features = await encoder.encode(batch);
    if (features.length !== batch.count * dimensions) {
      const got = `the encoder "${name}" gave ${features.length} numbers, not ${batch.count} × ${dimensions}`;
      throw new ClusteringError('encode', `${got}.`);
    }
    done += batch.count;
    if (done <= images.count) yield features;
  }
  if (done === images.count) return;
  throw new ClusteringError('encode', `the stream gave ${done} pictures, not ${images.count}.`);
}

/**
 * Features [N, D] of all pictures. Of a stream, the pixels of one batch are in memory at a time.
 * @throws ClusteringError as {@link encodeBatches} does
 */
export async function encodeImages(encoder: Encoder, images: ImageBatch | ImageStream): Promise<Float32Array> {
  const { dimensions } = encoder;
  const { values } = await keepInMemory(encodeBatches(encoder, images), { count: images.count, dimensions });
  return values;
}

/** Where encoded features go: their batches [n, D] → all of them as rows, in memory or elsewhere. */
export type FeatureKeeper = (
  batches: AsyncIterable<Float32Array>,
  shape: { readonly count: number; readonly dimensions: number },
) => Promise<FeatureRows>;

/** Keeps features in memory. */
export async function keepInMemory(
  ...[batches, { count, dimensions }]: Parameters<FeatureKeeper>
): Promise<FeatureRows & { readonly values: Float32Array }> {
  const length = count * dimensions;
  let values: Float32Array | undefined;
  let filled = 0;
  for await (const features of batches) {
    if (features.length === length)
      values = features; // a batch that has all of them is not copied
    else {
      values ??= new Float32Array(length);
      values.set(features, filled);
      filled += features.length;
    }
  }
  return featureRows(values ?? new Float32Array(length), dimensions);
}

/** The features of all pictures, where `keep` keeps them. */
export async function encodedRows(
  encoder: Encoder,
  images: ImageBatch | ImageStream,
  keep: FeatureKeeper = keepInMemory,
): Promise<FeatureRows> {
  const { dimensions } = encoder;
  return keep(encodeBatches(encoder, images), { count: images.count, dimensions });
}
