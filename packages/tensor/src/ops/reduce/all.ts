import type { ReduceOptions, Tensor } from '../../tensor.js';
import { min } from './min.js';

/** Whether all elements over axes, all by default, are true (numbers: not 0), as bool. Of nothing all are. */
export function all(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  return min(x.cast('bool'), axes, options);
}
