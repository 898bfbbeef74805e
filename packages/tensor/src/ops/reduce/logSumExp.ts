import { floats, requireDType } from '../../graph/dtype.js';
import { exp } from '../arithmetic/exp.js';
import { log } from '../arithmetic/log.js';
import { composite } from '../define.js';
import { max } from './max.js';
import { type Axes, keepAxes, overAxes, type Reduction, reducedType } from './over.js';

const op = composite<Axes>({
  name: 'logSumExp',
  infer([x], attributes) {
    requireDType('logSumExp', x!.dtype, floats);
    return [reducedType(x!, attributes)];
  },
  // The largest element is taken out first, so that exp never overflows.
  decompose([x], attributes) {
    const { axes } = attributes;
    const scores = x!.cast('f32');
    const top = max(scores, axes, { keepDims: true });
    return [log(exp(scores.sub(top)).sum(axes)).add(top.reshape(reducedType(x!, attributes).shape))];
  },
  vjp: ({ inputs: [x], outputs: [y], cotangent, attributes: { axes } }) => [
    exp(x!.sub(keepAxes(y!, x!, axes))).mul(keepAxes(cotangent, x!, axes)),
  ],
});

/** log Σ e ^ x over axes, the last by default, without overflow. */
export const logSumExp: Reduction = overAxes(op, -1);
