import { numeric } from '../../graph/dtype.js';
import { numberBodies } from '../body.js';
import { type BinaryFunction, binary } from '../define.js';

/** a · b, elementwise. */
export const multiply: BinaryFunction = binary({
  name: 'multiply',
  dtypes: numeric,
  kernel: numberBodies((a, b) => {
    'use gpu';
    return a * b;
  }),
  vjp: ({ a, b, cotangent, wants }) => [
    wants(0) ? cotangent.mul(b) : undefined,
    wants(1) ? cotangent.mul(a) : undefined,
  ],
});
