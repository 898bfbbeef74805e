import { element } from '../../shader/fn.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';

/** a − b, elementwise. Unsigned integers wrap around. */
export const subtract: BinaryFunction = binary({
  name: 'subtract',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a - b;
  }),
  vjp: ({ cotangent }) => [cotangent, cotangent.neg()],
});
