import tgpu, { d, std } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { unary, zeroGradient } from '../define.js';

/** −1, 0 or 1, elementwise. */
export const sign = unary({
  name: 'sign',
  dtypes: floats,
  cost: 1,
  kernel: tgpu.fn(
    [d.f32],
    d.f32,
  )((x) => {
    'use gpu';
    return std.sign(x);
  }),
  vjp: zeroGradient('sign is constant between its steps'),
});
