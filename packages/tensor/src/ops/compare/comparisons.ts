// Comparisons, and how they are combined.
import { element, std } from '../../shader/fn.js';
import { type BinaryFunction, binary, type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/op.js';

const comparing = { result: 'bool', vjp: zeroGradient('a comparison is constant between its steps') } as const;
const logic = zeroGradient('logic has no gradient');

/** a = b, elementwise, as bool. */
export const equal: BinaryFunction = binary({
  name: 'equal',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a === b;
  }),
  ...comparing,
});

/** a ≠ b, elementwise, as bool. */
export const notEqual: BinaryFunction = binary({
  name: 'notEqual',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a !== b;
  }),
  ...comparing,
});

/** a < b, elementwise, as bool. */
export const less: BinaryFunction = binary({
  name: 'less',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a < b;
  }),
  ...comparing,
});

/** a ≤ b, elementwise, as bool. */
export const lessEqual: BinaryFunction = binary({
  name: 'lessEqual',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a <= b;
  }),
  ...comparing,
});

/** a > b, elementwise, as bool. */
export const greater: BinaryFunction = binary({
  name: 'greater',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a > b;
  }),
  ...comparing,
});

/** a ≥ b, elementwise, as bool. */
export const greaterEqual: BinaryFunction = binary({
  name: 'greaterEqual',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a >= b;
  }),
  ...comparing,
});

/**
 * Whether an element is a number and not infinite, as bool. By its bits: WGSL promises nothing of comparisons with NaN.
 */
export const finite: UnaryFunction = unary({
  name: 'finite',
  result: 'bool',
  kernel: element((x: number) => {
    'use gpu';
    return (std.bitcastF32toU32(x) & 0x7f800000) !== 0x7f800000;
  }),
  vjp: zeroGradient('it is constant between its steps'),
});

/** a and b, elementwise, on bool. */
export const logicalAnd: BinaryFunction = binary({
  name: 'logicalAnd',
  dtypes: ['bool'],
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a && b;
  }),
  vjp: logic,
});

/** a or b, elementwise, on bool. */
export const logicalOr: BinaryFunction = binary({
  name: 'logicalOr',
  dtypes: ['bool'],
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a || b;
  }),
  vjp: logic,
});

/** not a, elementwise, on bool. */
export const logicalNot: UnaryFunction = unary({
  name: 'logicalNot',
  dtypes: ['bool'],
  kernel: element((a: number) => {
    'use gpu';
    return !a;
  }),
  vjp: logic,
});
