// The arithmetic that tensors have as methods.
import { floats, signed } from '../../graph/dtype.js';
import { element, std } from '../../shader/fn.js';
import type { Tensor } from '../../tensor.js';
import { type BinaryFunction, binary, type UnaryFunction, unary } from '../define/elementwise.js';

/** a + b, elementwise. */
export const add: BinaryFunction = binary({
  name: 'add',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a + b;
  }),
  vjp: ({ cotangent }) => [cotangent, cotangent],
});

/** a − b, elementwise. Unsigned integers wrap around. */
export const subtract: BinaryFunction = binary({
  name: 'subtract',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a - b;
  }),
  vjp: ({ cotangent }) => [cotangent, cotangent.neg()],
});

/** a · b, elementwise. */
export const multiply: BinaryFunction = binary({
  name: 'multiply',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return a * b;
  }),
  vjp: ({ a, b, cotangent }) => [cotangent.mul(b), cotangent.mul(a)],
});

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

/** −x, elementwise. */
export const negate: UnaryFunction = unary({
  name: 'negate',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return -x;
  }),
  vjp: ({ cotangent }) => cotangent.neg(),
});

/** x², elementwise. */
export const square: UnaryFunction = unary({
  name: 'square',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return x * x;
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(x).mul(2),
});

/** The larger of a and b, elementwise. Where they are equal, each gets half of the gradient. */
export const maximum: BinaryFunction = binary({
  name: 'maximum',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return std.max(a, b);
  }),
  vjp: shareOfTies,
});

/** The smaller of a and b, elementwise. Where they are equal, each gets half of the gradient. */
export const minimum: BinaryFunction = binary({
  name: 'minimum',
  kernel: element((a: number, b: number) => {
    'use gpu';
    return std.min(a, b);
  }),
  vjp: shareOfTies,
});

/** Gradients of max and min of two: to the one that was chosen, half to each where both are equal. */
function shareOfTies({
  a,
  b,
  y,
  cotangent,
}: Readonly<Record<'a' | 'b' | 'y' | 'cotangent', Tensor>>): [Tensor, Tensor] {
  const isA = a.equal(y).cast('f32');
  const isB = b.equal(y).cast('f32');
  const share = cotangent.div(isA.add(isB));
  return [share.mul(isA), share.mul(isB)];
}
