import { std } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { floatBody } from '../body.js';
import { unary } from '../define.js';
import { sign } from './sign.js';

/** |x|, elementwise. The gradient at 0 is 0. */
export const abs = unary({
  name: 'abs',
  dtypes: floats,
  cost: 1,
  kernel: floatBody((x) => {
    'use gpu';
    return std.abs(x);
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(sign(x)),
});
