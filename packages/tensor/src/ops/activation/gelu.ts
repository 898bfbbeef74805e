import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import type { Tensor } from '../../tensor.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { tanh } from './tanh.js';

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
