import { floats } from '../../graph/dtype.js';
import * as std from '../../shader/std.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** The square root, elementwise, for x ≥ 0. */
export const sqrt: UnaryFunction = unary({
  name: 'sqrt',
  dtypes: floats,
  cost: 3,
  kernel: floatBody((x) => {
    'use gpu';
    return std.sqrt(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.div(y.mul(2)),
});
