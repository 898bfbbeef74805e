import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/define.js';
import { logSumExp } from '../reduce/logSumExp.js';

/** x − log Σ e ^ x along an axis, the last by default. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  requireDType('logSoftmax', requireTensor('logSoftmax', x).dtype, floats);
  const scores = x.cast('f32');
  const total = logSumExp(scores, normalizeAxis('logSoftmax', axis, x.rank), { keepDims: true });
  return scores.sub(total).cast(x.dtype);
}
