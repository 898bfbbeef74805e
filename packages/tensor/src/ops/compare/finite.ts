import { floats } from '../../graph/dtype.js';
import * as d from '../../shader/data.js';
import { fn } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary, zeroGradient } from '../define.js';

/**
 * Whether an element is a number and not infinite, as bool. By its bits: WGSL promises nothing of comparisons with NaN.
 */
export const finite: UnaryFunction = unary({
  name: 'finite',
  dtypes: floats,
  result: 'bool',
  kernel: fn([d.f32], d.bool, (x) => {
    'use gpu';
    return (std.bitcastF32toU32(x) & 0x7f800000) !== 0x7f800000;
  }),
  vjp: zeroGradient('it is constant between its steps'),
});
