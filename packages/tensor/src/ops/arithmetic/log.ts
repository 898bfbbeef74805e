import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/define.js';

/** The natural logarithm, elementwise, for x > 0. */
export const log: UnaryFunction = unary({
  name: 'log',
  cost: 5,
  kernel: (x) => {
    'use gpu';
    return std.log(x);
  },
  vjp: ({ x, cotangent }) => cotangent.div(x),
});
