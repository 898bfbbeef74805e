import { floats } from '../../graph/dtype.js';
import { exp } from '../arithmetic/exp.js';
import { log } from '../arithmetic/log.js';
import { composite } from '../define/kinds.js';
import { where } from '../where.js';
import { type Axes, keepAxes, overAxes, type Reduction, reducing } from './over.js';
import { shiftOf } from './shift.js';

const op = composite<Axes>({
  name: 'logSumExp',
  infer: reducing('logSumExp', floats),
  // The largest element is taken out first, so that exp never overflows.
  decompose([x], { axes }) {
    const scores = x!.cast('f32');
    const shift = shiftOf(scores, axes);
    return [log(exp(scores.sub(keepAxes(shift, scores, axes))).sum(axes)).add(shift)];
  },
  vjp({ inputs: [x], outputs: [y], cotangent, attributes: { axes } }) {
    // Of −∞ only, no element has a share: exp(−∞ − 0), where −∞ − −∞ would be NaN.
    const total = where(y!.greater(Number.NEGATIVE_INFINITY), y!, 0);
    return [exp(x!.sub(keepAxes(total, x!, axes))).mul(keepAxes(cotangent, x!, axes))];
  },
});

/**
 * log Σ e ^ x over axes, the last by default, without overflow. Of nothing and of −∞ only it is −∞, with a gradient of 0;
 * with +∞ it is +∞, and has no gradient there (∞ / ∞).
 */
export const logSumExp: Reduction = overAxes(op, -1);
