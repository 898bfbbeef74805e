import tgpu, { d, std } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { unary } from '../define.js';

/** e ^ x, elementwise. */
export const exp = unary({
  name: 'exp',
  dtypes: floats,
  cost: 5,
  kernel: tgpu.fn(
    [d.f32],
    d.f32,
  )((x) => {
    'use gpu';
    return std.exp(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y),
});
