// How ops are applied. Only function declarations here, as everywhere in this folder: op modules and tensor.ts import each
// other in a circle, and functions are there before any module runs (circle.test.ts).
import { DTypeError } from '../../errors.js';
import { type Attributes, apply } from '../../graph/node.js';
import type { Op } from '../../graph/op.js';
import { broadcastShapes, sameShape } from '../../graph/shape.js';
import { isLeafTensor, type Tensor, type TensorLike, toTensor, wrap } from '../../tensor.js';
import { expand } from '../view/expand.js';

/** Applies an op with one output to tensors; the device of the result is that of the inputs. */
export function applyOp(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
  return applyAll(op, inputs, attributes)[0]!;
}

/** Applies an op to tensors and gives all its outputs. */
export function applyAll(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): readonly Tensor[] {
  const values = inputs.map((tensor) => requireTensor(op.name, tensor).valueFor(op.name));
  return wrap(op.name, apply(op, values, attributes), inputs);
}

/** A result that does not depend on the inputs' elements, such as zeros: it belongs where they do. */
export function onDeviceOf(name: string, constant: Tensor, inputs: readonly Tensor[]): Tensor {
  return wrap(name, [constant.value], inputs)[0]!;
}

/** Tensors of one shape out of tensors and numbers; numbers take the dtype of the first tensor. */
export function broadcast(name: string, ...operands: TensorLike[]): Tensor[] {
  const like = operands.find(isLeafTensor);
  if (!like) throw new DTypeError(name, 'at least one argument must be a tensor. Wrap a number in scalar().');
  const tensors = operands.map((operand) => toTensor(name, operand, like.dtype));
  const shape = tensors.map((t) => t.shape).reduce((a, b) => broadcastShapes(name, a, b));
  return tensors.map((t) => (sameShape(t.shape, shape) ? t : expand(t, shape)));
}

/** The tensor itself. Throws a DTypeError that says that a tensor was expected. */
export function requireTensor(name: string, x: unknown): Tensor {
  if (isLeafTensor(x)) return x;
  throw new DTypeError(name, `the argument must be a tensor, got ${typeof x}. Wrap a number in scalar().`);
}
