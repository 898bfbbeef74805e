/** The control: clusters that have nothing to do with what pictures show. */
import { key } from '@paris/tensor';
import type { ImageBatch } from '../encoder/encoder.js';

/**
 * A cluster for each picture [N], drawn from its bytes (FNV-1a, 32 bits) and the seed, every cluster equally likely: the
 * same picture gets the same cluster, alone or among others, and copies stay together.
 */
export function randomClusters({ pixels, count }: ImageBatch, clusters: number, seed: number): Uint32Array {
  const length = pixels.length / count;
  return Uint32Array.from({ length: count }, (_, i) => {
    const hash = fnv1a(pixels.subarray(i * length, (i + 1) * length));
    return Math.min(Math.floor(key(seed).foldIn(hash).uniform() * clusters), clusters - 1);
  });
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
