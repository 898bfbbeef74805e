import { ShapeError } from '@paris/tensor';
import { encode } from 'fast-png';
import type { RgbImage } from './image.js';

/**
 * The bytes of a PNG file. The same picture gives the same bytes.
 * @throws ShapeError if there are not 3 · width · height bytes of data
 */
export function encodePng({ width, height, data }: RgbImage): Uint8Array {
  if (data.length !== 3 * width * height) {
    const wanted = `3 × ${width} × ${height} = ${3 * width * height} bytes`;
    throw new ShapeError('encodePng', `a picture has ${wanted}, got ${data.length}. Pass RGB without alpha.`);
  }
  return encode({ width, height, data, channels: 3, depth: 8 });
}
