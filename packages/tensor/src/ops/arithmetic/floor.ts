import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/** The largest whole number not above x, elementwise. */
export const floor: UnaryFunction = unary({
  name: 'floor',
  kernel: element((x: number) => {
    'use gpu';
    return std.floor(x);
  }),
  vjp: zeroGradient('floor is constant between its steps'),
});
