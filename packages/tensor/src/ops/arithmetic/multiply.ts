import { type BinaryFunction, binary } from '../define.js';

/** a · b, elementwise. */
export const multiply: BinaryFunction = binary({
  name: 'multiply',
  kernel: (a, b) => {
    'use gpu';
    return a * b;
  },
  vjp: ({ a, b, cotangent, wants }) => [
    wants(0) ? cotangent.mul(b) : undefined,
    wants(1) ? cotangent.mul(a) : undefined,
  ],
});
