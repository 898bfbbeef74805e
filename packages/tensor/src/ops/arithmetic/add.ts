import { element } from '../../shader/fn.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';

/** a + b, elementwise. */
export const add: BinaryFunction = binary({
  name: 'add',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a + b;
  }),
  vjp: ({ cotangent }) => [cotangent, cotangent],
});
