import type { ReduceOptions, Tensor } from '../../tensor.js';
import { finite } from '../compare/finite.js';
import { where } from '../where.js';
import { max } from './max.js';

/**
 * What is taken from f32 scores before exp, so that it does not overflow: the largest along the axes. Where that is
 * infinite (nothing, or −∞ everywhere) it is 0: ∞ − ∞ would be NaN.
 */
export function shiftOf(scores: Tensor, axes: number | readonly number[], options?: ReduceOptions): Tensor {
  const top = max(scores, axes, options);
  return where(finite(top), top, 0);
}
