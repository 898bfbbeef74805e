import tgpu, { d } from 'typegpu';
import { floats } from '../../graph/dtype.js';
import { unary } from '../define.js';

/** 1 / x, elementwise. */
export const reciprocal = unary({
  name: 'reciprocal',
  dtypes: floats,
  cost: 2,
  kernel: tgpu.fn(
    [d.f32],
    d.f32,
  )((x) => {
    'use gpu';
    return 1 / x;
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.square()).neg(),
});
