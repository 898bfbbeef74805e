// Small pictures to look at next to latents: clusters, near-copies and pages are made of them.
import { DataError } from '../errors.js';

/** u8 [N·3, size, size] → [N·3, to, to]: the mean of each block, rounded. @throws DataError if `to` does not divide `size` */
export function reduced(pixels: Uint8Array, size: number, to: number): Uint8Array {
  if (to === size) return pixels;
  const factor = size / to;
  if (!Number.isInteger(factor)) {
    throw new DataError(
      'prepare',
      `small pictures of ${to} pixels do not divide ${size}. Give a divisor: --thumbnail.`,
    );
  }
  const planes = pixels.length / (size * size);
  const small = new Uint8Array(planes * to * to);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < to; y++) {
      for (let x = 0; x < to; x++) {
        let sum = 0;
        for (let dy = 0; dy < factor; dy++) {
          const start = (plane * size + y * factor + dy) * size + x * factor;
          for (let dx = 0; dx < factor; dx++) sum += pixels[start + dx]!;
        }
        small[(plane * to + y) * to + x] = Math.floor((sum + (factor * factor) / 2) / factor ** 2);
      }
    }
  }
  return small;
}

/** Edge length of the small pictures where nothing says it: the largest divisor up to 64. */
export function usualThumbnail(size: number): number {
  return Array.from({ length: Math.min(64, size) }, (_, i) => i + 1).reduce(
    (most, n) => (size % n === 0 ? n : most),
    1,
  );
}
