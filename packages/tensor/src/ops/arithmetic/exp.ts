import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** e ^ x, elementwise. */
export const exp: UnaryFunction = unary({
  name: 'exp',
  cost: 5,
  kernel: element((x: number) => {
    'use gpu';
    return std.exp(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y),
});
