// Activations, and the error function.
import { erfAccurate } from '../../math/erf.js';
import { element, std } from '../../shader/fn.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/functions.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** max(x, 0), elementwise. The gradient at 0 is 0. */
export const relu: UnaryFunction = unary({
  name: 'relu',
  kernel: element((x: number) => {
    'use gpu';
    return std.max(x, 0);
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(x.greater(0).cast('f32')),
});

/** The logistic function, 1 / (1 + e ^ −x), elementwise. */
export const sigmoid: UnaryFunction = unary({
  name: 'sigmoid',
  cost: 6,
  kernel: element((x: number) => {
    'use gpu';
    return 1 / (1 + std.exp(-x));
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.mul(y.rsub(1))),
});

/** Sigmoid-weighted linear unit, x · σ(x), elementwise. https://arxiv.org/abs/1702.03118 */
export const silu: UnaryFunction = unary({
  name: 'silu',
  cost: 6,
  kernel: element((x: number) => {
    'use gpu';
    return x / (1 + std.exp(-x));
  }),
  // σ(x) · (1 + x · (1 − σ(x)))
  vjp: ({ x, cotangent }) => {
    const s = sigmoid(x);
    return cotangent.mul(s).mul(x.mul(s.rsub(1)).add(1));
  },
});

/** log(1 + e ^ x), elementwise, without overflow. Dugas et al., "Incorporating second-order functional knowledge", 2000. */
export const softplus: UnaryFunction = unary({
  name: 'softplus',
  cost: 10,
  // Where e ^ −|x| is small, 1 + e would lose its digits: two terms of the series of log(1 + e).
  kernel: 'let e = exp(-abs(x)); return max(x, 0) + select(log(1 + e), e - 0.5 * e * e, e < 1e-3);',
  vjp: ({ x, cotangent }) => cotangent.mul(sigmoid(x)),
});

/**
 * The hyperbolic tangent, elementwise. The argument is bounded first: beyond ±10 the result is ±1 in f32, and WGSL
 * allows a tanh that overflows on the way there.
 */
export const tanh: UnaryFunction = unary({
  name: 'tanh',
  cost: 6,
  kernel: element((x: number) => {
    'use gpu';
    return std.tanh(std.clamp(x, -10, 10));
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.square().rsub(1)),
});

/**
 * Gaussian error linear unit in its tanh form, elementwise: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))).
 * https://arxiv.org/abs/1606.08415, §2; PyTorch's `approximate='tanh'`.
 */
export const gelu: UnaryFunction = unary({
  name: 'gelu',
  cost: 10,
  kernel: element((x: number) => {
    'use gpu';
    const inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
    return 0.5 * x * (1 + std.tanh(std.clamp(inner, -10, 10)));
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(geluSlope(x)),
});

/** The derivative of {@link gelu}, a function of its own so that it folds into one kernel. */
const geluSlope: UnaryFunction = unary({
  name: 'geluSlope',
  cost: 12,
  kernel: element((x: number) => {
    'use gpu';
    const inner = 0.7978845608028654 * (x + 0.044715 * x * x * x);
    const t = std.tanh(std.clamp(inner, -10, 10));
    const slope = 0.7978845608028654 * (1 + 0.134145 * x * x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope;
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(geluCurvature(x)),
});

/** The second derivative of gelu, with u the inner function and t = tanh u: (1 − t²) · (u′ + x·u″/2 − x·t·u′²). */
function geluCurvature(x: Tensor): Tensor {
  const cube = x.pow(3).mul(0.044715);
  const t = tanh(x.add(cube).mul(0.7978845608028654));
  const slope = x.square().mul(0.134145).add(1).mul(0.7978845608028654);
  const curve = x.mul(0.26829 * 0.7978845608028654);
  const falloff = t.square().rsub(1);
  return falloff.mul(slope.add(x.mul(0.5).mul(curve)).sub(x.mul(t).mul(slope.square())));
}

/** The error function, 2/√π ∫₀ˣ e ^ −t² dt, elementwise, within 4e-7. */
export const erf: UnaryFunction = unary({
  name: 'erf',
  cost: 14,
  kernel: erfAccurate,
  vjp: ({ x, cotangent }) => cotangent.mul(exp(x.square().neg())).mul(2 / Math.sqrt(Math.PI)),
});

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
