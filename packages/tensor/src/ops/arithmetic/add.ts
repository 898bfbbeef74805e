import { numeric } from '../../graph/dtype.js';
import { numberBodies } from '../body.js';
import { type BinaryFunction, binary } from '../define.js';

/** a + b, elementwise. */
export const add: BinaryFunction = binary({
  name: 'add',
  dtypes: numeric,
  kernel: numberBodies((a, b) => {
    'use gpu';
    return a + b;
  }),
  vjp: ({ cotangent }) => [cotangent, cotangent],
});
