import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { applyOp, composite, requireTensor } from '../define.js';
import type { CompositeOp, WithOp } from '../op.js';
import { max } from '../reduce/max.js';

const op = composite({
  name: 'softmax',
  infer([x]) {
    requireDType('softmax', x!.dtype, floats);
    return [x!];
  },
  decompose([x], { axis }) {
    const at = axis as number;
    const scores = x!.cast('f32');
    const weights = exp(scores.sub(max(scores, at, { keepDims: true })));
    return [weights.div(weights.sum(at, { keepDims: true }))];
  },
  // y · (g − Σ g·y)
  vjp({ outputs, cotangent, attributes }) {
    const y = outputs[0]!;
    const inner = cotangent.mul(y).sum(attributes.axis as number, { keepDims: true });
    return [cotangent.sub(inner).mul(y)];
  },
});

/** e ^ x / Σ e ^ x along an axis, the last by default. */
export const softmax: WithOp<(x: Tensor, axis?: number) => Tensor, CompositeOp> = Object.assign(
  (x: Tensor, axis = -1): Tensor =>
    applyOp(op, [x], { axis: normalizeAxis('softmax', axis, requireTensor('softmax', x).rank) }),
  { op },
);
