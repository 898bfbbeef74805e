import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxes, sizeOf } from '../../graph/shape.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { requireTensor } from '../define.js';
import { sum } from './sum.js';

/** The arithmetic mean over axes, all by default. */
export function mean(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  requireDType('mean', requireTensor('mean', x).dtype, floats);
  const count = sizeOf(normalizeAxes('mean', axes, x.rank).map((axis) => x.shape[axis]!));
  return sum(x, axes, options).mul(1 / count);
}
