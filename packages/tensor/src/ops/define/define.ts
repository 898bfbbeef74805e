// How ops are written down. Only function declarations here: op modules and tensor.ts import each other in a circle,
// and functions are there before any module runs.
import type { TgpuFn } from 'typegpu';
import { DTypeError } from '../../errors.js';
import { computeType, type DType, floats, numeric, promote, requireDType } from '../../graph/dtype.js';
import { type Attributes, apply, type Type } from '../../graph/node.js';
import type { CompositeOp, NoGradient, Op, PointwiseOp, ReduceOp, TiledOp, Vjp } from '../../graph/op.js';
import { broadcastShapes, sameShape } from '../../graph/shape.js';
import { type ElementKernel, kernelOf } from '../../shader/fn.js';
import { isLeafTensor, type Tensor, type TensorLike, toTensor, wrap } from '../../tensor.js';
import { expand } from '../view/expand.js';

/** A gradient that cannot be had, and why. Asking for it is an error. */
export function none(reason: string): NoGradient {
  return { none: reason, zero: false };
}

/** A gradient that is zero wherever it is defined (comparisons, floor, integers): it ends the search. */
export function zeroGradient(reason: string): NoGradient {
  return { none: reason, zero: true };
}

/** Applies an op with one output to tensors; the device of the result is that of the inputs. */
export function applyOp(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): Tensor {
  return applyAll(op, inputs, attributes)[0]!;
}

/** Applies an op to tensors and gives all its outputs. */
export function applyAll(op: Op, inputs: readonly Tensor[], attributes: Attributes = {}): readonly Tensor[] {
  const values = inputs.map((tensor) => requireTensor(op.name, tensor).valueFor(op.name));
  return wrap(op.name, apply(op, values, attributes), inputs);
}

interface ElementDefinition {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly kernel: ElementKernel;
  /** How dear one element is, in additions. Default 1. */
  readonly cost?: number | undefined;
  /** The result's dtype, if it is not the inputs'. */
  readonly result?: DType | undefined;
}

/** An op of which an element is a function of the inputs' elements in the same place; the inputs are of one shape. */
export function elementOp(definition: ElementDefinition & Pick<PointwiseOp, 'vjp' | 'interpret'>): PointwiseOp {
  const { name, dtypes, kernel, cost = 1, result, ...rest } = definition;
  return {
    kind: 'pointwise',
    name,
    cost,
    infer(inputs) {
      for (const { dtype } of inputs) requireDType(name, dtype, dtypes);
      const dtype = inputs.map((x) => x.dtype).reduce((a, b) => promote(name, a, b));
      return [{ shape: inputs[0]!.shape, dtype: result ?? dtype }];
    },
    emit: ({ inputs, read, call }) => call(bodyFor(name, kernel, inputs[0]!.dtype), ...inputs.map((_, i) => read(i))),
    relate: (relation) => relation,
    ...rest,
  };
}

/** What a function of one or two elements is. */
interface FunctionDefinition<Elements extends number[], Context, Gradient>
  extends Omit<ElementDefinition, 'kernel' | 'dtypes'> {
  /** Default: floats for a function of one element, all numbers for one of two. */
  readonly dtypes?: readonly DType[];
  /** A `'use gpu'` function of which one text is right for all dtypes, or a TypeGPU function. */
  readonly kernel: (...elements: Elements) => number | boolean;
  readonly vjp: ((context: Context) => Gradient) | NoGradient;
}

/** A function of one element. */
export type UnaryFunction = WithOp<(x: Tensor) => Tensor>;
type UnaryContext = Readonly<Record<'x' | 'y' | 'cotangent', Tensor>>;

export function unary(definition: FunctionDefinition<[x: number], UnaryContext, Tensor>): UnaryFunction {
  const { vjp, dtypes = floats, result } = definition;
  const kernel = kernelOf(definition.kernel, 1, dtypes, result);
  const pull: Vjp | NoGradient =
    typeof vjp === 'function'
      ? ({ inputs, outputs, cotangent }) => [vjp({ x: inputs[0]!, y: outputs[0]!, cotangent })]
      : vjp;
  const op = elementOp({ ...definition, dtypes, kernel, vjp: pull });
  return withOp(op, (x) => applyOp(op, [x]));
}

/** A function of two elements, with broadcasting; a plain number is an operand of the other's dtype. */
export type BinaryFunction = WithOp<(a: TensorLike, b: TensorLike) => Tensor>;
type BinaryContext = Readonly<Record<'a' | 'b' | 'y' | 'cotangent', Tensor>>;

export function binary(
  definition: FunctionDefinition<[a: number, b: number], BinaryContext, readonly (Tensor | undefined)[]>,
): BinaryFunction {
  const { vjp, dtypes = numeric, result } = definition;
  const kernel = kernelOf(definition.kernel, 2, dtypes, result);
  const pull: Vjp | NoGradient =
    typeof vjp === 'function'
      ? ({ inputs, outputs, ...rest }) => vjp({ a: inputs[0]!, b: inputs[1]!, y: outputs[0]!, ...rest })
      : vjp;
  const op = elementOp({ ...definition, dtypes, kernel, vjp: pull });
  return withOp(op, (a, b) => applyOp(op, broadcast(op.name, a, b)));
}

/** Tensors of one shape out of tensors and numbers; numbers take the dtype of the first tensor. */
export function broadcast(name: string, ...operands: TensorLike[]): Tensor[] {
  const like = operands.find(isLeafTensor);
  if (!like) throw new DTypeError(name, 'at least one argument must be a tensor. Wrap a number in scalar().');
  const tensors = operands.map((operand) => toTensor(name, operand, like.dtype));
  const shape = tensors.map((t) => t.shape).reduce((a, b) => broadcastShapes(name, a, b));
  return tensors.map((t) => (sameShape(t.shape, shape) ? t : expand(t, shape)));
}

function bodyFor(name: string, kernel: ElementKernel, dtype: DType): TgpuFn {
  if (typeof kernel === 'function') return kernel;
  const body = kernel[computeType(dtype)];
  if (!body) throw new DTypeError(name, `internal: there is no body for ${dtype}.`);
  return body;
}

/** Says plainly that something else than a tensor was given. */
export function requireTensor(name: string, x: unknown): Tensor {
  if (isLeafTensor(x)) return x;
  throw new DTypeError(name, `the argument must be a tensor, got ${typeof x}. Wrap a number in scalar().`);
}

/** The type rule of an op whose result is like its first input, which has one of these dtypes. */
export function sameType(name: string, dtypes: readonly DType[]): (inputs: readonly Type[]) => Type[] {
  return ([x]) => {
    requireDType(name, x!.dtype, dtypes);
    return [x!];
  };
}

/** A function of tensors with the op that it applies, for tests and for what treats an op in its own way. */
export type WithOp<F> = F & { readonly op: Op };

export function withOp<A extends unknown[]>(op: Op, fn: (...args: A) => Tensor): WithOp<typeof fn> {
  return Object.assign(fn, { op });
}

// `A` is what the op's attributes hold: its rules see it, whoever passes attributes on does not.

export function pointwise<A = Attributes>(definition: Omit<PointwiseOp<A>, 'kind'>): PointwiseOp {
  return { kind: 'pointwise', ...definition } as PointwiseOp;
}

export function reduction<A = Attributes>(definition: Omit<ReduceOp<A>, 'kind'>): ReduceOp {
  return { kind: 'reduce', ...definition } as ReduceOp;
}

export function tiled<A = Attributes>(definition: Omit<TiledOp<A>, 'kind'>): TiledOp {
  return { kind: 'tiled', ...definition } as TiledOp;
}

/** An op written in other ops; its types are those of its parts. */
export function composite<A = Attributes>(definition: Omit<CompositeOp<A>, 'kind'>): CompositeOp {
  return { kind: 'composite', ...definition } as CompositeOp;
}
