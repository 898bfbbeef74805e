import { signed } from '../../graph/dtype.js';
import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { sign } from './sign.js';

/** |x|, elementwise. The gradient at 0 is 0. */
export const abs: UnaryFunction = unary({
  name: 'abs',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return std.abs(x);
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(sign(x)),
});
