import { floats } from '../../graph/dtype.js';
import { floatBody } from '../body.js';
import { type UnaryFunction, unary } from '../define.js';

/** 1 / x, elementwise. */
export const reciprocal: UnaryFunction = unary({
  name: 'reciprocal',
  dtypes: floats,
  cost: 2,
  kernel: floatBody((x) => {
    'use gpu';
    return 1 / x;
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.square()).neg(),
});
