import { floats } from '../../graph/dtype.js';
import { exp } from '../arithmetic/exp.js';
import { log } from '../arithmetic/log.js';
import { composite } from '../define/define.js';
import { max } from './max.js';
import { type Axes, keepAxes, overAxes, type Reduction, reducing } from './over.js';

const op = composite<Axes>({
  name: 'logSumExp',
  infer: reducing('logSumExp', floats),
  // The largest element is taken out first, so that exp never overflows.
  decompose([x], { axes }) {
    const scores = x!.cast('f32');
    const top = max(scores, axes);
    return [log(exp(scores.sub(keepAxes(top, scores, axes))).sum(axes)).add(top)];
  },
  vjp: ({ inputs: [x], outputs: [y], cotangent, attributes: { axes } }) => [
    exp(x!.sub(keepAxes(y!, x!, axes))).mul(keepAxes(cotangent, x!, axes)),
  ],
});

/** log Σ e ^ x over axes, the last by default, without overflow. */
export const logSumExp: Reduction = overAxes(op, -1);
