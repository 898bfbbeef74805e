import { encode } from 'fast-png';
import type { RgbImage } from './image.js';

/** The bytes of a PNG file. The same picture gives the same bytes. */
export function encodePng({ width, height, data }: RgbImage): Uint8Array {
  return encode({ width, height, data, channels: 3, depth: 8 });
}
