import { floats } from '../../graph/dtype.js';
import * as std from '../../shader/std.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary, zeroGradient } from '../define.js';

/** The largest whole number not above x, elementwise. */
export const floor: UnaryFunction = unary({
  name: 'floor',
  dtypes: floats,
  cost: 1,
  kernel: floatBody((x) => {
    'use gpu';
    return std.floor(x);
  }),
  vjp: zeroGradient('floor is constant between its steps'),
});
