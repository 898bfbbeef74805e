import { type UnaryFunction, unary } from '../define/elementwise.js';
import { sigmoid } from './sigmoid.js';

/** log(1 + e ^ x), elementwise, without overflow. Dugas et al., "Incorporating second-order functional knowledge", 2000. */
export const softplus: UnaryFunction = unary({
  name: 'softplus',
  cost: 10,
  // Where e ^ −|x| is small, 1 + e would lose its digits: two terms of the series of log(1 + e).
  kernel: 'let e = exp(-abs(x)); return max(x, 0) + select(log(1 + e), e - 0.5 * e * e, e < 1e-3);',
  vjp: ({ x, cotangent }) => cotangent.mul(sigmoid(x)),
});
