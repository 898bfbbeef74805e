import { erfAccurate } from '../../math/erf.js';
import { element } from '../../shader/fn.js';
import { exp } from '../arithmetic/exp.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { erf } from './erf.js';

/**
 * Gaussian error linear unit, x · Φ(x) = x/2 · (1 + erf(x / √2)), elementwise. https://arxiv.org/abs/1606.08415, §2;
 * PyTorch's default. {@link gelu} is the usual approximation by tanh. At −∞ it is NaN (∞ · 0), as in PyTorch.
 */
export const geluExact: UnaryFunction = unary({
  name: 'geluExact',
  cost: 16,
  kernel: element((x: number) => {
    'use gpu';
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: shaders know no Math
    return 0.5 * x * (1 + erfAccurate(x * 0.70710678));
  }),
  // Φ(x) + x · φ(x)
  vjp: ({ x, cotangent }) => {
    const share = erf(x.mul(Math.SQRT1_2)).add(1).mul(0.5);
    const density = exp(x.square().mul(-0.5)).mul(1 / Math.sqrt(2 * Math.PI));
    return cotangent.mul(share.add(x.mul(density)));
  },
});
