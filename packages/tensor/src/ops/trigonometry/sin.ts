import { sinAccurate } from '../../math/trigonometry.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { cos } from './cos.js';

/**
 * The sine, elementwise, within 1e-6 for |x| up to 1000. WGSL's own promises nothing outside [−π, π]; this one reduces
 * its argument itself. From 10⁴ on it loses digits (5e-3 at 10⁶), since the number of quarter turns no longer multiplies
 * exactly; of ±∞ it is undefined.
 */
export const sin: UnaryFunction = unary({
  name: 'sin',
  cost: 12,
  kernel: sinAccurate,
  vjp: ({ x, cotangent }) => cotangent.mul(cos(x)),
});
