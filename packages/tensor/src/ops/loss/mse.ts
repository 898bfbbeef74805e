import type { Tensor } from '../../tensor.js';

/** The mean squared error of two tensors of one shape, a scalar. */
export function mse(a: Tensor, b: Tensor): Tensor {
  return a.sub(b).square().mean();
}
