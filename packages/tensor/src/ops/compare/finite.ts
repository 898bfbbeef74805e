import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/**
 * Whether an element is a number and not infinite, as bool. By its bits: WGSL promises nothing of comparisons with NaN.
 */
export const finite: UnaryFunction = unary({
  name: 'finite',
  result: 'bool',
  kernel: element((x: number) => {
    'use gpu';
    return (std.bitcastF32toU32(x) & 0x7f800000) !== 0x7f800000;
  }),
  vjp: zeroGradient('it is constant between its steps'),
});
