import { signed } from '../../graph/dtype.js';
import { signedBodies } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** −x, elementwise. */
export const negate: UnaryFunction = unary({
  name: 'negate',
  dtypes: signed,
  kernel: signedBodies((x) => {
    'use gpu';
    return -x;
  }),
  vjp: ({ cotangent }) => cotangent.neg(),
});
