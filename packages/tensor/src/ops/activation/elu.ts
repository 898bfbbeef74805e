import { floats } from '../../graph/dtype.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { binary } from '../define/elementwise.js';
import { where } from '../where.js';

const ofBoth = binary({
  name: 'elu',
  dtypes: floats,
  cost: 8,
  kernel: 'max(a, 0) + b * (exp(min(a, 0)) - 1)',
  vjp({ a, b, cotangent }) {
    const below = exp(a.minimum(0));
    return [cotangent.mul(where(a.greater(0), 1, b.mul(below))), cotangent.mul(below.sub(1))];
  },
});

/**
 * x, or alpha · (e ^ x − 1) below 0, elementwise. https://arxiv.org/abs/1511.07289, equation 16.
 * @param alpha - 1 by default; an operand, so that another does not compile again
 */
export const elu: WithOp<(x: Tensor, alpha?: number) => Tensor> = withOp(ofBoth.op, (x, alpha = 1) => ofBoth(x, alpha));
