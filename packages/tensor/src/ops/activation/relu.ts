import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
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
