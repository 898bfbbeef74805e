import tgpu, { d } from 'typegpu';
import { numeric } from '../../graph/dtype.js';
import { binary, zeroGradient } from '../define.js';

/** a ≤ b, elementwise, as bool. */
export const lessEqual = binary({
  name: 'lessEqual',
  dtypes: numeric,
  result: 'bool',
  kernel: {
    f32: tgpu.fn(
      [d.f32, d.f32],
      d.bool,
    )((a, b) => {
      'use gpu';
      return a <= b;
    }),
    i32: tgpu.fn(
      [d.i32, d.i32],
      d.bool,
    )((a, b) => {
      'use gpu';
      return a <= b;
    }),
    u32: tgpu.fn(
      [d.u32, d.u32],
      d.bool,
    )((a, b) => {
      'use gpu';
      return a <= b;
    }),
  },
  vjp: zeroGradient('a comparison is constant between its steps'),
});
