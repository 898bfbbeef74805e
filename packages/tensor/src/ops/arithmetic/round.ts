import { type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/** The nearest whole number, elementwise; halves go to the even one, as in IEEE 754 and PyTorch. */
export const round: UnaryFunction = unary({
  name: 'round',
  kernel: 'round(x)',
  vjp: zeroGradient('round is constant between its steps'),
});
