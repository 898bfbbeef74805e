// The control: clusters that have nothing to do with what pictures show.
import { key } from '@paris/tensor';
import { batchesOf } from '../encoder/encode.js';
import type { ImageBatch, ImageStream } from '../encoder/encoder.js';

/**
 * A cluster for each picture [N], drawn from its bytes (FNV-1a, 32 bits) and the seed, every cluster equally likely: the
 * same picture gets the same cluster, alone or among others, and copies stay together.
 */
export async function randomClusters(
  images: ImageBatch | ImageStream,
  clusters: number,
  seed: number,
): Promise<Uint32Array> {
  const labels = new Uint32Array(images.count);
  let done = 0;
  for await (const { pixels, count } of batchesOf(images)) {
    const length = pixels.length / count;
    for (let i = 0; i < count; i++) {
      const hash = fnv1a(pixels.subarray(i * length, (i + 1) * length));
      labels[done++] = Math.min(Math.floor(key(seed).foldIn(hash).uniform() * clusters), clusters - 1);
    }
  }
  return labels;
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
