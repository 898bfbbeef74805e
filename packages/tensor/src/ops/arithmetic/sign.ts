import { signed } from '../../graph/dtype.js';
import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/** −1, 0 or 1, elementwise. */
export const sign: UnaryFunction = unary({
  name: 'sign',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return std.sign(x);
  }),
  vjp: zeroGradient('sign is constant between its steps'),
});
