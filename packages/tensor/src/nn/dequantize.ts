// Weights of 8 or 4 bits: whole numbers that are packed into words, and a scale for each row or group of them.
import { ShapeError } from '../errors.js';
import { requireTensor } from '../ops/define/op.js';
import { unpackIntegers } from '../ops/packed/unpack-integers.js';
import type { Tensor } from '../tensor.js';

/** How a matrix is packed: 8 bits and a scale a row, or 4 bits and a scale for 32 neighbours of a row. */
export type QuantizedFormat = 'q8' | 'q4';

/** A packed matrix [out, in], as it lies in device memory: element = scale · whole number. */
export type QuantizedMatrix =
  | {
      /** u32 [out, in / 4]: whole numbers from −127 to 127, see {@link unpackIntegers}. */
      readonly q8: Tensor;
      /** [out, 1] */
      readonly scale: Tensor;
    }
  | {
      /** u32 [out, in / 8]: whole numbers from −7 to 7. */
      readonly q4: Tensor;
      /** [out, in / 32] */
      readonly scale: Tensor;
    };

/**
 * The matrix that a packed one means, f32 [out, in]. A product computes its elements as it loads them: they take no memory
 * unless they are a result. Gradients flow through it to other factors; packed numbers have none.
 * @throws ShapeError if there is not one scale for each row (q8) or for each 32 numbers of a row (q4)
 */
export function dequantize(matrix: QuantizedMatrix): Tensor {
  const scale = requireTensor('dequantize', matrix.scale);
  const numbers = 'q8' in matrix ? unpackIntegers(matrix.q8, 8) : unpackIntegers(matrix.q4, 4);
  const [rows = 0, width = 0] = numbers.shape;
  const groups = 'q8' in matrix ? 1 : width / 32;
  if (numbers.rank !== 2 || scale.shape.join() !== [rows, groups].join()) {
    throw new ShapeError('dequantize', `scales must be [${rows}, ${groups}], got [${scale.shape}].`);
  }
  const scales = scale
    .cast('f32')
    .reshape([rows * groups, 1])
    .expand([rows * groups, width / groups]);
  return numbers.cast('f32').mul(scales.reshape(numbers.shape));
}
