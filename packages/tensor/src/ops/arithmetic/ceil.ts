import { type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/** The smallest whole number not below x, elementwise. */
export const ceil: UnaryFunction = unary({
  name: 'ceil',
  kernel: 'ceil(x)',
  vjp: zeroGradient('ceil is constant between its steps'),
});
