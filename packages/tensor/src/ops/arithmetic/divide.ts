import { floats } from '../../graph/dtype.js';
import { element } from '../../shader/fn.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';

/** a / b, elementwise, for floats. */
export const divide: BinaryFunction = binary({
  name: 'divide',
  dtypes: floats,
  cost: 2,
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a / b;
  }),
  vjp: ({ b, y, cotangent }) => {
    const share = cotangent.div(b);
    return [share, share.mul(y).neg()];
  },
});
