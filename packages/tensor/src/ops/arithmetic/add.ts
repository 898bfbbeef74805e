import tgpu, { d } from 'typegpu';
import { numeric } from '../../graph/dtype.js';
import { binary } from '../define.js';

/** a + b, elementwise. */
export const add = binary({
  name: 'add',
  dtypes: numeric,
  kernel: {
    f32: tgpu.fn(
      [d.f32, d.f32],
      d.f32,
    )((a, b) => {
      'use gpu';
      return a + b;
    }),
    i32: tgpu.fn(
      [d.i32, d.i32],
      d.i32,
    )((a, b) => {
      'use gpu';
      return a + b;
    }),
    u32: tgpu.fn(
      [d.u32, d.u32],
      d.u32,
    )((a, b) => {
      'use gpu';
      return a + b;
    }),
  },
  vjp: ({ cotangent }) => [cotangent, cotangent],
});
