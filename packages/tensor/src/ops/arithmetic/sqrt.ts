import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** The square root, elementwise, for x ≥ 0. */
export const sqrt: UnaryFunction = unary({
  name: 'sqrt',
  cost: 3,
  kernel: element((x: number) => {
    'use gpu';
    return std.sqrt(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.div(y.mul(2)),
});
