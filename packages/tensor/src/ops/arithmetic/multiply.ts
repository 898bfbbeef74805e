import { element } from '../../shader/fn.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';

/** a · b, elementwise. */
export const multiply: BinaryFunction = binary({
  name: 'multiply',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a * b;
  }),
  vjp: ({ a, b, cotangent }) => [cotangent.mul(b), cotangent.mul(a)],
});
