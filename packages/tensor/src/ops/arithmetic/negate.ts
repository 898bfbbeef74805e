import { signed } from '../../graph/dtype.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** −x, elementwise. */
export const negate: UnaryFunction = unary({
  name: 'negate',
  dtypes: signed,
  kernel: (x) => {
    'use gpu';
    return -x;
  },
  vjp: ({ cotangent }) => cotangent.neg(),
});
