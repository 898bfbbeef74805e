import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { applyOp, composite, requireTensor } from '../define.js';
import type { CompositeOp, WithOp } from '../op.js';
import { logSumExp } from '../reduce/logSumExp.js';

const op = composite({
  name: 'logSoftmax',
  infer([x]) {
    requireDType('logSoftmax', x!.dtype, floats);
    return [x!];
  },
  decompose([x], { axis }) {
    const scores = x!.cast('f32');
    return [scores.sub(logSumExp(scores, axis as number, { keepDims: true }))];
  },
  // g − softmax(x) · Σ g
  vjp({ outputs, cotangent, attributes }) {
    const total = cotangent.sum(attributes.axis as number, { keepDims: true });
    return [cotangent.sub(exp(outputs[0]!).mul(total))];
  },
});

/** x − log Σ e ^ x along an axis, the last by default. */
export const logSoftmax: WithOp<(x: Tensor, axis?: number) => Tensor, CompositeOp> = Object.assign(
  (x: Tensor, axis = -1): Tensor =>
    applyOp(op, [x], { axis: normalizeAxis('logSoftmax', axis, requireTensor('logSoftmax', x).rank) }),
  { op },
);
