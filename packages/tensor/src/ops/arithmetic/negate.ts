import { signed } from '../../graph/dtype.js';
import { element } from '../../shader/fn.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** −x, elementwise. */
export const negate: UnaryFunction = unary({
  name: 'negate',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return -x;
  }),
  vjp: ({ cotangent }) => cotangent.neg(),
});
