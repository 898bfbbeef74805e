import { signed } from '../../graph/dtype.js';
import { element } from '../../shader/fn.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** x², elementwise. */
export const square: UnaryFunction = unary({
  name: 'square',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return x * x;
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(x).mul(2),
});
