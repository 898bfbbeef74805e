import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/**
 * The hyperbolic tangent, elementwise. The argument is bounded first: beyond ±10 the result is ±1 in f32, and WGSL
 * allows a tanh that overflows on the way there.
 */
export const tanh: UnaryFunction = unary({
  name: 'tanh',
  cost: 6,
  kernel: element((x: number) => {
    'use gpu';
    return std.tanh(std.clamp(x, -10, 10));
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.square().rsub(1)),
});
