import type { ReduceOptions, Tensor } from '../../tensor.js';
import { max } from './max.js';

/** Whether any element over axes, all by default, is true (numbers: not 0), as bool. Of nothing none is. */
export function any(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  return max(x.cast('bool'), axes, options);
}
