import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/**
 * The natural logarithm, elementwise: −∞ of 0, NaN below. By the bits of x, since WGSL promises nothing outside of
 * (0, ∞): a software adapter was seen to give −88 for 0 and log |x| below.
 */
export const log: UnaryFunction = unary({
  name: 'log',
  cost: 5,
  kernel: element((x: number) => {
    'use gpu';
    const bits = std.bitcastF32toU32(x);
    // WGSL has no constant that is infinite or NaN: they come about at run time, by adding a zero that is computed.
    const zero = bits & 0;
    if (bits === 0 || bits === 0x80000000) return std.bitcastU32toF32(0xff800000 + zero);
    if (bits > 0x7f800000) return std.bitcastU32toF32(0x7fc00000 + zero);
    return std.log(x);
  }),
  vjp: ({ x, cotangent }) => cotangent.div(x),
});
