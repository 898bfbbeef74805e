import { element } from '../../shader/fn.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';

/** 1 / x, elementwise. */
export const reciprocal: UnaryFunction = unary({
  name: 'reciprocal',
  cost: 2,
  kernel: element((x: number) => {
    'use gpu';
    return 1 / x;
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.square()).neg(),
});
