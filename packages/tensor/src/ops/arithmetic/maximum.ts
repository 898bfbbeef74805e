import tgpu, { d, std } from 'typegpu';
import { numeric } from '../../graph/dtype.js';
import { binary } from '../define.js';
import { shareOfTies } from './ties.js';

/** The larger of a and b, elementwise. Where they are equal, each gets half of the gradient. */
export const maximum = binary({
  name: 'maximum',
  dtypes: numeric,
  kernel: {
    f32: tgpu.fn(
      [d.f32, d.f32],
      d.f32,
    )((a, b) => {
      'use gpu';
      return std.max(a, b);
    }),
    i32: tgpu.fn(
      [d.i32, d.i32],
      d.i32,
    )((a, b) => {
      'use gpu';
      return std.max(a, b);
    }),
    u32: tgpu.fn(
      [d.u32, d.u32],
      d.u32,
    )((a, b) => {
      'use gpu';
      return std.max(a, b);
    }),
  },
  vjp: ({ a, b, y, cotangent }) => shareOfTies(a, b, y, cotangent),
});
