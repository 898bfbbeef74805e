import { floats } from '../../graph/dtype.js';
import * as std from '../../shader/std.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** The natural logarithm, elementwise, for x > 0. */
export const log: UnaryFunction = unary({
  name: 'log',
  dtypes: floats,
  cost: 5,
  kernel: floatBody((x) => {
    'use gpu';
    return std.log(x);
  }),
  vjp: ({ x, cotangent }) => cotangent.div(x),
});
