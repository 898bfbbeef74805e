import { element } from '../../shader/fn.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/** a ≤ b, elementwise, as bool. */
export const lessEqual: BinaryFunction = binary({
  name: 'lessEqual',
  result: 'bool',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a <= b;
  }),
  vjp: zeroGradient('a comparison is constant between its steps'),
});
