// Hyperbolic functions and their inverses: polynomials near zero, where exponentials would cancel.
import { exp, expWithin, log, log1p } from './exponential.js';
import type { Vector, VectorMath } from './vector.js';

export function tanh(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const z = m.mul(x, x);
  const odd = [-0.3333328366279602, 0.13331490755081177, -0.05374349653720856, 0.020650578662753105];
  const small = m.add(m.mul(m.mul(x, z), m.polynomial(z, [...odd, -0.005717036779969931])), x);
  // 1 − 2 / (e^2a + 1), which is 1 from 9.02 on; NaN goes through
  const bounded = m.op('f32x4', 'pmin', a, 10);
  const large = m.sub(1, m.div(2, m.add(expWithin(m, m.add(bounded, bounded)), 1)));
  return m.copySign(m.abs(m.select(m.op('f32x4', 'lt', a, 0.625), small, large)), x);
}

export function sinh(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const z = m.mul(x, x);
  const odd = [0.1666666716337204, 0.008333350531756878, 0.0001983606634894386, 2.817439735736116e-6];
  const small = m.add(m.mul(m.mul(x, z), m.polynomial(z, odd)), x);
  const { half, inverse } = halves(m, a);
  return m.select(m.op('f32x4', 'lt', a, 1), small, m.copySign(m.sub(half, inverse), x));
}

export function cosh(m: VectorMath, x: Vector): Vector {
  const { half, inverse } = halves(m, m.abs(x));
  return m.add(half, inverse);
}

/** e^a / 2, infinite only where that itself is, and e^−a / 2. */
function halves(m: VectorMath, a: Vector): { half: Vector; inverse: Vector } {
  const root = exp(m, m.mul(a, 0.5));
  const half = m.mul(m.mul(root, 0.5), root);
  return { half, inverse: m.div(0.25, half) };
}

/** sign x · ln(a + √(a² + 1)), with 1 taken off under the logarithm. */
export function asinh(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const z = m.mul(a, a);
  const near = log1p(m, m.add(a, m.div(z, m.add(m.sqrt(m.add(z, 1)), 1))));
  return m.copySign(m.select(m.op('f32x4', 'gt', a, 2 ** 30), m.add(log(m, a), Math.LN2), near), x);
}

/** ln(x + √(x² − 1)) for x ≥ 1, else NaN. */
export function acosh(m: VectorMath, x: Vector): Vector {
  const t = m.sub(x, 1);
  const near = log1p(m, m.add(t, m.sqrt(m.mul(t, m.add(t, 2)))));
  const value = m.select(m.op('f32x4', 'gt', x, 2 ** 30), m.add(log(m, x), Math.LN2), near);
  return m.select(m.op('f32x4', 'ge', x, 1), value, NaN);
}

/** ½ ln((1 + x) / (1 − x)). */
export function atanh(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const value = m.mul(log1p(m, m.div(m.add(a, a), m.sub(1, a))), 0.5);
  // (log1p's own correction is NaN where its argument is infinite or beyond.)
  return m.copySign(m.select(m.op('f32x4', 'eq', a, 1), Infinity, value), x);
}
