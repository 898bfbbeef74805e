import { signed } from '../../graph/dtype.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** x², elementwise. */
export const square: UnaryFunction = unary({
  name: 'square',
  dtypes: signed,
  kernel: (x) => {
    'use gpu';
    return x * x;
  },
  vjp: ({ x, cotangent }) => cotangent.mul(x).mul(2),
});
