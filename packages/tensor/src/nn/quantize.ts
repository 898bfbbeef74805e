// From floats to packed weights, on the host. Symmetric: zero stays zero, and a row of zeros is exact.
import { fromHalf, toHalf } from '@paris/files';
import type { HostTensor } from '@paris/files/safetensors';
import { ShapeError, ValueError } from '../errors.js';
import { showShape } from '../graph/shape.js';
import type { QuantizedFormat } from './dequantize.js';

/** A packed matrix on the host; as tensors of a device it is a `QuantizedMatrix`. */
export type HostQuantizedMatrix =
  | { readonly q8: HostTensor; readonly scale: HostTensor }
  | { readonly q4: HostTensor; readonly scale: HostTensor };

/** Numbers that share a scale: a whole row of q8. */
const groupOf = (format: QuantizedFormat, width: number) => (format === 'q8' ? width : 32);

/** The largest whole number of each format: the range is symmetric. */
const largest = { q8: 127, q4: 7 } as const;

/** Whether rows of a matrix of this shape fill whole words (q8: in / 4) and whole groups (q4: in / 32). */
export function canQuantize(shape: readonly number[], format: QuantizedFormat): boolean {
  if (!Object.hasOwn(largest, format)) return false;
  return shape.length === 2 && shape[1]! > 0 && shape[1]! % (format === 'q8' ? 4 : 32) === 0;
}

/**
 * Packs a matrix [out, in]. The scale of a group of numbers is the largest of their absolute values, divided by the largest
 * whole number (127 or 7) and rounded up to the next number that its dtype holds, f32 (q8) or f16 (q4); so nothing is cut
 * off, and each element is off by at most half a scale: by max / 254 of its row, or max / 14 of its 32 neighbours, plus 2⁻¹⁰
 * of that for the rounding of an f16 scale, which is 2⁻²⁴ at least.
 * @throws ShapeError if it is no matrix, or `in` is no multiple of 4 (q8) or of 32 (q4); ValueError for anything but floats,
 *   for NaN and infinity, and for q4 beyond 7 · 65504
 */
export function quantize(matrix: HostTensor, format: 'q8'): Extract<HostQuantizedMatrix, { q8: HostTensor }>;
export function quantize(matrix: HostTensor, format: 'q4'): Extract<HostQuantizedMatrix, { q4: HostTensor }>;
export function quantize(matrix: HostTensor, format: QuantizedFormat): HostQuantizedMatrix;
export function quantize(matrix: HostTensor, format: QuantizedFormat): HostQuantizedMatrix {
  const { data, shape } = matrix;
  if (!Object.hasOwn(largest, format)) throw new ValueError('quantize', `there is no format ${format}. Use q8 or q4.`);
  if (!canQuantize(shape, format)) {
    const unit = format === 'q8' ? 4 : 32;
    const must = `${format} packs matrices [out, in] where in is a multiple of ${unit}`;
    throw new ShapeError('quantize', `${must}, got ${showShape(shape)}. Keep this one in f16.`);
  }
  if (!(data instanceof Float32Array)) {
    throw new ValueError('quantize', `only floats are quantized, got ${matrix.dtype}. Cast it first.`);
  }
  const [rows, width] = shape as [number, number];
  const group = groupOf(format, width);
  const scales = new Float32Array((rows * width) / group);
  const perWord = format === 'q8' ? 4 : 8;
  const words = new Uint32Array(data.length / perWord);
  for (let g = 0; g < scales.length; g++) {
    const scale = scaleOf(data, g * group, group, format);
    scales[g] = scale;
    if (scale === 0) continue;
    for (let i = g * group; i < (g + 1) * group; i++) {
      const number = Math.round(data[i]! / scale);
      words[Math.floor(i / perWord)]! |= (number & (2 ** (32 / perWord) - 1)) << ((i % perWord) * (32 / perWord));
    }
  }
  const scale: HostTensor = { data: scales, shape: [rows, width / group], dtype: format === 'q8' ? 'f32' : 'f16' };
  const packed: HostTensor = { data: words, shape: [rows, width / perWord], dtype: 'u32' };
  return format === 'q8' ? { q8: packed, scale } : { q4: packed, scale };
}

/** The least number of the scale's dtype that is no less than the largest absolute value, divided by the largest integer. */
function scaleOf(data: Float32Array, from: number, count: number, format: QuantizedFormat): number {
  let most = 0;
  for (let i = from; i < from + count; i++) {
    const size = Math.abs(data[i]!);
    if (!(size < Number.POSITIVE_INFINITY)) {
      throw new ValueError('quantize', `element ${i} is ${data[i]}. Train it again, or from an earlier checkpoint.`);
    }
    if (size > most) most = size;
  }
  const exact = most / largest[format];
  if (format === 'q8') return nextFloat(exact);
  const bits = toHalf(exact);
  const scale = fromHalf(bits) < exact ? fromHalf(bits + 1) : fromHalf(bits);
  if (scale < Number.POSITIVE_INFINITY) return scale;
  throw new ValueError('quantize', `${most} is too large for the f16 scales of q4, at most 7 · 65504. Use q8 or f16.`);
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The least f32 that is no less than a positive number or zero. */
function nextFloat(x: number): number {
  float[0] = x;
  if (float[0] < x) bits[0]! += 1;
  return float[0];
}
