import { element } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';
import { shareOfTies } from './ties.js';

/** The larger of a and b, elementwise. Where they are equal, each gets half of the gradient. */
export const maximum: BinaryFunction = binary({
  name: 'maximum',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return std.max(a, b);
  }),
  vjp: ({ a, b, y, cotangent }) => shareOfTies(a, b, y, cotangent),
});
