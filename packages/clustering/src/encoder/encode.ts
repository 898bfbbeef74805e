// The features of pictures, at once or a batch at a time.
import { ClusteringError } from '../errors.js';
import type { Encoder, ImageBatch, ImageStream } from './encoder.js';

/** Each batch of the pictures. */
export async function* batchesOf(images: ImageBatch | ImageStream): AsyncGenerator<ImageBatch> {
  if ('pixels' in images) yield images;
  else yield* images.batches();
}

/**
 * Features [N, D] of all pictures. Of a stream, the pixels of one batch are in memory at a time.
 * @throws ClusteringError for an encoder that gives another number of features, or a stream that gives another number of pictures
 */
export async function encodeImages(encoder: Encoder, images: ImageBatch | ImageStream): Promise<Float32Array> {
  const { dimensions, name } = encoder;
  const all = 'pixels' in images ? undefined : new Float32Array(images.count * dimensions);
  let done = 0;
  for await (const batch of batchesOf(images)) {
    const features = await encoder.encode(batch);
    if (features.length !== batch.count * dimensions) {
      const got = `the encoder "${name}" gave ${features.length} numbers, not ${batch.count} × ${dimensions}`;
      throw new ClusteringError('encode', `${got}.`);
    }
    if (!all) return features;
    if (done + batch.count <= images.count) all.set(features, done * dimensions);
    done += batch.count;
  }
  if (all && done === images.count) return all;
  throw new ClusteringError('encode', `the stream gave ${done} pictures, not ${images.count}.`);
}
