import { floats } from '../../graph/dtype.js';
import { floatBody } from '../body.js';
import { unary } from '../define.js';

/** x², elementwise. */
export const square = unary({
  name: 'square',
  dtypes: floats,
  cost: 1,
  kernel: floatBody((x) => {
    'use gpu';
    return x * x;
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(x).mul(2),
});
