// How ops are written and applied. An op's gradient and its parts are written in operations of tensors; the graph knows
// values only. Only function declarations here, as everywhere in this folder: op modules and tensor.ts import each other in
// a circle, and functions are there before any module runs. What other modules of this folder call to make an op must not be
// imported from here, only what they call when it is applied (circle.test.ts).
import { DTypeError, ValueError } from '../../errors.js';
import { type DType, requireDType } from '../../graph/dtype.js';
import type { Attributes, Type } from '../../graph/node.js';
import type {
  CompositeOp,
  NoGradient,
  Op,
  PackOp,
  PointwiseOp,
  ReduceOp,
  TiledOp,
  Vjp,
  VjpContext,
} from '../../graph/op.js';
import { broadcastShapes, sameShape } from '../../graph/shape.js';
import { apply, isLeafTensor, type Tensor, type TensorLike, toTensor } from '../../tensor.js';
import { expand } from '../view/views.js';

// The kinds of ops, as they are written down: `A` is what their attributes hold, and their rules see tensors. The graph sees
// neither.

export function pointwise<A = Attributes>(rules: Omit<PointwiseOp<A, Tensor>, 'kind'>): PointwiseOp {
  return { kind: 'pointwise', ...rules } as PointwiseOp;
}

export function reduction<A = Attributes>(rules: Omit<ReduceOp<A, Tensor>, 'kind'>): ReduceOp {
  return { kind: 'reduce', ...rules } as ReduceOp;
}

export function tiled<A = Attributes>(rules: Omit<TiledOp<A, Tensor>, 'kind'>): TiledOp {
  return { kind: 'tiled', ...rules } as TiledOp;
}

/** An op written in other ops; its types are those of its parts. */
export function composite<A = Attributes>(rules: Omit<CompositeOp<A, Tensor>, 'kind'>): CompositeOp {
  return { kind: 'composite', ...rules } as CompositeOp;
}

export function packing(rules: Omit<PackOp<Attributes, Tensor>, 'kind'>): PackOp {
  return { kind: 'pack', ...rules } as PackOp;
}

/** The type rule of an op whose result is like its first input, which has one of these dtypes. */
export function sameType(name: string, dtypes: readonly DType[]): (inputs: readonly Type[]) => Type[] {
  return ([x]) => {
    requireDType(name, x!.dtype, dtypes);
    return [x!];
  };
}

// Gradients

/** What a gradient is made of. */
export type GradientContext<A = Attributes> = VjpContext<A, Tensor>;

/** One for each input, undefined for those that have none. */
export type GradientRule<A = Attributes> = Vjp<A, Tensor>;

/** A gradient that does not exist, and why. Asking for it is an error. */
export function none(reason: string): NoGradient {
  return { none: reason, zero: false };
}

/** A gradient that is zero wherever it is defined (comparisons, floor, integers): it ends the search. */
export function zeroGradient(reason: string): NoGradient {
  return { none: reason, zero: true };
}

// Application

/** A function of tensors with the op that it applies, for tests and for what treats an op in its own way. */
export type WithOp<F> = F & { readonly op: Op };

export function withOp<A extends unknown[], R>(op: Op, fn: (...args: A) => R): WithOp<typeof fn> {
  return Object.assign(fn, { op });
}

/** Applies an op with one output to tensors; the device of the result is that of the inputs. */
export function applyOp(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
  return applyAll(op, inputs, attributes)[0]!;
}

/** Applies an op to tensors and gives all its outputs. */
export function applyAll(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): readonly Tensor[] {
  const usable = inputs.map((tensor) => requireTensor(op.name, tensor).usable(op.name));
  return apply(op, usable, attributes).map((output) => onDeviceOf(op.name, output, inputs));
}

/** A result, also one that does not depend on the inputs' elements, such as zeros: it belongs where they do. */
export function onDeviceOf(op: string, result: Tensor, inputs: readonly Tensor[]): Tensor {
  for (const { device } of inputs) {
    if (!device || device === result.device) continue;
    if (result.device)
      throw new ValueError(op, 'the tensors belong to two devices. Read one and upload it to the other.');
    result.device = device;
  }
  return result;
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
