import { floats } from '../../graph/dtype.js';
import * as std from '../../shader/std.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** e ^ x, elementwise. */
export const exp: UnaryFunction = unary({
  name: 'exp',
  dtypes: floats,
  cost: 5,
  kernel: floatBody((x) => {
    'use gpu';
    return std.exp(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y),
});
