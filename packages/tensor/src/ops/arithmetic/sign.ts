import { std } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { floatBody } from '../body.js';
import { unary, zeroGradient } from '../define.js';

/** −1, 0 or 1, elementwise. */
export const sign = unary({
  name: 'sign',
  dtypes: floats,
  cost: 1,
  kernel: floatBody((x) => {
    'use gpu';
    return std.sign(x);
  }),
  vjp: zeroGradient('sign is constant between its steps'),
});
