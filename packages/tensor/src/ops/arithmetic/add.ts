import { type BinaryFunction, binary } from '../define/elementwise.js';

/** a + b, elementwise. */
export const add: BinaryFunction = binary({
  name: 'add',
  kernel: (a, b) => {
    'use gpu';
    return a + b;
  },
  vjp: ({ cotangent }) => [cotangent, cotangent],
});
