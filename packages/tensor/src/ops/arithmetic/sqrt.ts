import tgpu, { d, std } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { unary } from '../define.js';

/** The square root, elementwise, for x ≥ 0. */
export const sqrt = unary({
  name: 'sqrt',
  dtypes: floats,
  cost: 3,
  kernel: tgpu.fn(
    [d.f32],
    d.f32,
  )((x) => {
    'use gpu';
    return std.sqrt(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.div(y.mul(2)),
});
