import { element } from '../../shader/fn.js';
import { type BinaryFunction, binary, type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

const vjp = zeroGradient('logic has no gradient');

/** a and b, elementwise, on bool. */
export const logicalAnd: BinaryFunction = binary({
  name: 'logicalAnd',
  dtypes: ['bool'],
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a && b;
  }),
  vjp,
});

/** a or b, elementwise, on bool. */
export const logicalOr: BinaryFunction = binary({
  name: 'logicalOr',
  dtypes: ['bool'],
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a || b;
  }),
  vjp,
});

/** not a, elementwise, on bool. */
export const logicalNot: UnaryFunction = unary({
  name: 'logicalNot',
  dtypes: ['bool'],
  kernel: element((a: number) => {
    'use gpu';
    return !a;
  }),
  vjp,
});
