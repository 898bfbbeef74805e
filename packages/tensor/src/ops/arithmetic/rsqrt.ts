import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** 1 / √x, elementwise, for x > 0. */
export const rsqrt: UnaryFunction = unary({
  name: 'rsqrt',
  cost: 4,
  kernel: element((x: number) => {
    'use gpu';
    return 1 / std.sqrt(x);
  }),
  vjp: ({ x, y, cotangent }) => cotangent.mul(y).div(x.mul(-2)),
});
