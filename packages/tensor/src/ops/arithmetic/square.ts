import tgpu, { d } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { unary } from '../define.js';

/** x², elementwise. */
export const square = unary({
  name: 'square',
  dtypes: floats,
  cost: 1,
  kernel: tgpu.fn(
    [d.f32],
    d.f32,
  )((x) => {
    'use gpu';
    return x * x;
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(x).mul(2),
});
