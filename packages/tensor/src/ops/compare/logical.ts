import tgpu, { d } from 'typegpu';
import { logicBodies } from '../body.js';
import { binary, unary, zeroGradient } from '../define.js';

const vjp = zeroGradient('logic has no gradient');

/** a and b, elementwise, on bool. */
export const logicalAnd = binary({
  name: 'logicalAnd',
  dtypes: ['bool'],
  kernel: logicBodies((a, b) => {
    'use gpu';
    return a && b;
  }),
  vjp,
});

/** a or b, elementwise, on bool. */
export const logicalOr = binary({
  name: 'logicalOr',
  dtypes: ['bool'],
  kernel: logicBodies((a, b) => {
    'use gpu';
    return a || b;
  }),
  vjp,
});

/** not a, elementwise, on bool. */
export const logicalNot = unary({
  name: 'logicalNot',
  dtypes: ['bool'],
  kernel: {
    bool: tgpu.fn(
      [d.bool],
      d.bool,
    )((a) => {
      'use gpu';
      return !a;
    }),
  },
  vjp,
});
