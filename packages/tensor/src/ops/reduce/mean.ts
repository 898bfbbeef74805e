import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxes, sizeOf } from '../../graph/shape.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { literal } from '../creation/constant.js';
import { requireTensor } from '../define/apply.js';
import { sum } from './sum.js';

/**
 * The arithmetic mean over axes, all by default: {@link sum}, within its bound, divided by the number of elements. The mean
 * of nothing is NaN.
 */
export function mean(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  requireDType('mean', requireTensor('mean', x).dtype, floats);
  const list = normalizeAxes('mean', axes, x.rank);
  const count = sizeOf(list.map((axis) => x.shape[axis]!));
  // In f32 throughout: a sum may lie beyond what f16 holds where its mean does not.
  const total = sum(x.cast('f32'), axes, options);
  // By its bits: drivers give anything for 0 / 0.
  if (count === 0) return total.add(Number.NaN).cast(x.dtype);
  // Over the batch the count varies: an operand, so that batches of any size share shaders.
  return total.div(list.includes(0) ? count : literal(count)).cast(x.dtype);
}
