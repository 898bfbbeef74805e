import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { sigmoid } from './sigmoid.js';

/** Sigmoid-weighted linear unit, x · σ(x), elementwise. https://arxiv.org/abs/1702.03118 */
export const silu: UnaryFunction = unary({
  name: 'silu',
  cost: 6,
  kernel: element((x: number) => {
    'use gpu';
    return x / (1 + std.exp(-x));
  }),
  // σ(x) · (1 + x · (1 − σ(x)))
  vjp: ({ x, cotangent }) => {
    const s = sigmoid(x);
    return cotangent.mul(s).mul(x.mul(s.rsub(1)).add(1));
  },
});
