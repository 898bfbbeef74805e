import tgpu, { d } from 'typegpu';
import { floatBody } from '../body.js';
import { unary } from '../define.js';

/** −x, elementwise. */
export const negate = unary({
  name: 'negate',
  dtypes: ['f32', 'f16', 'i32'],
  kernel: {
    f32: floatBody((x) => {
      'use gpu';
      return -x;
    }),
    i32: tgpu.fn(
      [d.i32],
      d.i32,
    )((x) => {
      'use gpu';
      return -x;
    }),
  },
  vjp: ({ cotangent }) => cotangent.neg(),
});
