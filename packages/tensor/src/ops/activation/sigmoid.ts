import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

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
