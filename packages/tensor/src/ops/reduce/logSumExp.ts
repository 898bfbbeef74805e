import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxes } from '../../graph/shape.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { log } from '../arithmetic/log.js';
import { applyOp, composite, requireTensor } from '../define.js';
import type { CompositeOp, WithOp } from '../op.js';
import { max } from './max.js';
import { keepAxes, reducedType } from './over.js';

const op = composite({
  name: 'logSumExp',
  infer([x], attributes) {
    requireDType('logSumExp', x!.dtype, floats);
    return [reducedType(x!, attributes)];
  },
  // The largest element is taken out first, so that exp never overflows.
  decompose([x], attributes) {
    const axes = attributes.axes as number[];
    const scores = x!.cast('f32');
    const top = max(scores, axes, { keepDims: true });
    return [log(exp(scores.sub(top)).sum(axes)).add(top.reshape(reducedType(x!, attributes).shape))];
  },
  vjp({ inputs, outputs, cotangent, attributes }) {
    const axes = attributes.axes as number[];
    const x = inputs[0]!;
    return [exp(x.sub(keepAxes(outputs[0]!, x, axes))).mul(keepAxes(cotangent, x, axes))];
  },
});

/** log Σ e ^ x over axes, the last by default, without overflow. */
export const logSumExp: WithOp<
  (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor,
  CompositeOp
> = Object.assign(
  (x: Tensor, axes: number | readonly number[] = -1, options: ReduceOptions = {}): Tensor => {
    const list = normalizeAxes('logSumExp', axes, requireTensor('logSumExp', x).rank);
    const result = list.length === 0 ? x : applyOp(op, [x], { axes: list });
    return options.keepDims ? keepAxes(result, x, list) : result;
  },
  { op },
);
