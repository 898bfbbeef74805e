import { erfAccurate } from '../../math/erf.js';
import { exp } from '../arithmetic/exp.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** The error function, 2/√π ∫₀ˣ e ^ −t² dt, elementwise, within 4e-7. */
export const erf: UnaryFunction = unary({
  name: 'erf',
  cost: 14,
  kernel: erfAccurate,
  vjp: ({ x, cotangent }) => cotangent.mul(exp(x.square().neg())).mul(2 / Math.sqrt(Math.PI)),
});
