import { floats } from '../../graph/dtype.js';
import * as std from '../../shader/std.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** 1 / √x, elementwise, for x > 0. */
export const rsqrt: UnaryFunction = unary({
  name: 'rsqrt',
  dtypes: floats,
  cost: 4,
  kernel: floatBody((x) => {
    'use gpu';
    return 1 / std.sqrt(x);
  }),
  vjp: ({ x, y, cotangent }) => cotangent.mul(y).div(x.mul(-2)),
});
