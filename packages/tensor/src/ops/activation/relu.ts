import { floats } from '../../graph/dtype.js';
import * as std from '../../shader/std.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** max(x, 0), elementwise. The gradient at 0 is 0. */
export const relu: UnaryFunction = unary({
  name: 'relu',
  dtypes: floats,
  cost: 1,
  kernel: floatBody((x) => {
    'use gpu';
    return std.max(x, 0);
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(x.greater(0).cast('f32')),
});
