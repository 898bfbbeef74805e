// What a graph starts from. Leaves have no inputs and no shader: the plan binds them.
import type { DType } from '../graph/dtype.js';
import type { Type, Value } from '../graph/node.js';
import type { LeafOp } from '../graph/op.js';
import type { Shape } from '../graph/shape.js';
import { apply, type Tensor } from '../tensor.js';

function leaf(name: string): LeafOp {
  return {
    kind: 'leaf',
    name,
    infer: (_, { shape, dtype }) => [{ shape: shape as Shape, dtype: dtype as DType }],
    vjp: { none: 'a leaf has no inputs', zero: true },
  };
}

/** A new value of a leaf. */
export function leafValue(op: LeafOp, { shape, dtype }: Type): Tensor {
  return apply(op, [], { shape, dtype })[0]!;
}

/** A computed value becomes a leaf and lets go of what it was made of. */
export function becomeLeaf(value: Value): void {
  const { node } = leafValue(bufferLeaf, value);
  node.outputs = [value];
  value.node = node;
}

/** Elements that are in device memory already. */
export const bufferLeaf: LeafOp = leaf('buffer');
/** An argument of a function that is being traced. */
export const parameterLeaf: LeafOp = leaf('parameter');
/** A few host words that are uploaded with each call: a number, a random key. */
export const operandLeaf: LeafOp = leaf('operand');
