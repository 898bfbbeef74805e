import type { Tensor } from '../../tensor.js';

/** The mean squared error of two tensors of one shape: f32 [], also of f16. */
export function mse(a: Tensor, b: Tensor): Tensor {
  return a.cast('f32').sub(b).square().mean();
}
