import { floats, requireDType } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/apply.js';
import { requireSameShape } from './require-same-shape.js';

/**
 * The mean squared error of two tensors of one shape: f32 [], also of f16.
 * @throws ShapeError if the shapes differ, also where they would broadcast; DTypeError for anything but floats.
 */
export function mse(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b]) requireDType('mse', requireTensor('mse', x).dtype, floats);
  requireSameShape('mse', a, b);
  return a.cast('f32').sub(b).square().mean();
}
