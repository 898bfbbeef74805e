import { floats, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { log } from '../arithmetic/log.js';
import { applyOp, composite, requireTensor } from '../define.js';
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
    const top = max(x!, axes, { keepDims: true });
    return [log(exp(x!.sub(top)).sum(axes)).add(top.reshape(reducedType(x!, attributes).shape))];
  },
  vjp({ inputs, outputs, cotangent, attributes }) {
    const axes = attributes.axes as number[];
    const x = inputs[0]!;
    return [exp(x.sub(keepAxes(outputs[0]!, x, axes))).mul(keepAxes(cotangent, x, axes))];
  },
});

/** log Σ e ^ x along an axis, without overflow. */
export const logSumExp = Object.assign(
  (x: Tensor, axis = -1, options: ReduceOptions = {}): Tensor => {
    const axes = [normalizeAxis('logSumExp', axis, requireTensor('logSumExp', x).rank)];
    const result = applyOp(op, [x], { axes });
    return options.keepDims ? keepAxes(result, x, axes) : result;
  },
  { op },
);
