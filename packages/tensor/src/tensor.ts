// What users hold: a shape, a dtype and a place in a graph. Methods add nodes; nothing runs until a tensor is read,
// handed to device.run(), or returned from a compiled function.
import { DisposedTensorError, DonatedTensorError, DTypeError, TraceError, ValueError } from './errors.js';
import { checkDType, type DType, type HostArray, wholeRanges } from './graph/dtype.js';
import { type Attributes, type GraphDevice, type GraphStorage, Node, showType, type Value } from './graph/node.js';
import type { Op } from './graph/op.js';
import { type Shape, sizeOf } from './graph/shape.js';
import { add, divide, maximum, minimum, multiply, negate, square, subtract } from './ops/arithmetic/arithmetic.js';
import { pow } from './ops/arithmetic/pow.js';
import { cast } from './ops/cast.js';
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from './ops/compare/comparisons.js';
import { leafValue, operandLeaf } from './ops/leaf.js';
import { matmul } from './ops/matmul/matmul.js';
import { max, mean, min, sum } from './ops/reduce/reductions.js';
import { identity } from './ops/view/identity.js';
import { pad, type SliceRange, slice } from './ops/view/parts.js';
import { expand, flip, permute, reshape, transpose } from './ops/view/views.js';

/** A tensor, or a plain number where arithmetic takes one. */
export type TensorLike = Tensor | number;

/** Options of reductions over axes. */
export interface ReduceOptions {
  /** Keep reduced axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

let nextId = 0;

/** A shape, a dtype and a place in a graph; its elements exist once it has been run or read. */
export class Tensor<D extends DType = DType> implements Value {
  /** The device that this belongs to; undefined as long as nothing in its graph has one. */
  device: GraphDevice | undefined;
  /** @internal */
  storage: GraphStorage | undefined;
  /** @internal */
  operand: Uint32Array | undefined;
  /** @internal */
  readonly id: number = nextId++;

  /** @internal Tensors come from a device, from creation functions and from operations: see {@link apply}. */
  constructor(
    /** @internal */
    public node: Node,
    /** Sizes by axis, the outermost first; [] for a single number. Known before anything runs. */
    readonly shape: Shape,
    /** What the elements are: `f32`, `f16`, `i32`, `u32` or `bool`. */
    readonly dtype: D,
  ) {}

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  // Arithmetic, elementwise with broadcasting. A number is an operand: uploaded with each call, never compiled in.
  /** this + other, elementwise; the shapes broadcast. */
  add(other: TensorLike): Tensor {
    return add(this, other);
  }
  /** this − other */
  sub(other: TensorLike): Tensor {
    return subtract(this, other);
  }
  /** this · other, elementwise; see `matmul` for products of matrices. */
  mul(other: TensorLike): Tensor {
    return multiply(this, other);
  }
  /** this / other; floats only. */
  div(other: TensorLike): Tensor {
    return divide(this, other);
  }
  /** other − this */
  rsub(other: TensorLike): Tensor {
    return subtract(other, this);
  }
  /** other / this */
  rdiv(other: TensorLike): Tensor {
    return divide(other, this);
  }
  /** The larger of the two, element by element. Equal ones share the gradient. */
  maximum(other: TensorLike): Tensor {
    return maximum(this, other);
  }
  /** The smaller of the two, element by element. Equal ones share the gradient. */
  minimum(other: TensorLike): Tensor {
    return minimum(this, other);
  }
  /** −this; floats and i32. */
  neg(): Tensor {
    return negate(this);
  }
  /** this · this; floats and i32. */
  square(): Tensor {
    return square(this);
  }
  /** this ^ exponent, as IEEE 754 has it; a number is compiled in, a tensor broadcasts. */
  pow(exponent: TensorLike): Tensor {
    return pow(this, exponent);
  }

  /** this = other, as bool. */
  equal(other: TensorLike): Tensor {
    return equal(this, other);
  }
  /** this ≠ other, as bool. */
  notEqual(other: TensorLike): Tensor {
    return notEqual(this, other);
  }
  /** this < other, as bool. */
  less(other: TensorLike): Tensor {
    return less(this, other);
  }
  /** this ≤ other, as bool. */
  lessEqual(other: TensorLike): Tensor {
    return lessEqual(this, other);
  }
  /** this > other, as bool. */
  greater(other: TensorLike): Tensor {
    return greater(this, other);
  }
  /** this ≥ other, as bool. */
  greaterEqual(other: TensorLike): Tensor {
    return greaterEqual(this, other);
  }

  /** The elements in another dtype: floats lose their fraction, bool is 0 or 1. */
  cast<T extends DType>(dtype: T): Tensor<T> {
    return cast(this, dtype) as Tensor<T>;
  }

  // Views: no copy unless a kernel needs one.
  /** The same elements in row-major order under another shape; one size may be −1. */
  reshape(shape: Shape): Tensor<D> {
    return reshape(this, shape) as Tensor<D>;
  }
  /** Axis i of the result is axis axes[i] of this. */
  permute(axes: readonly number[]): Tensor<D> {
    return permute(this, axes) as Tensor<D>;
  }
  /** Swaps two axes, the last two by default. */
  transpose(a = -2, b = -1): Tensor<D> {
    return transpose(this, a, b) as Tensor<D>;
  }
  /** Broadcasts to a shape. */
  expand(shape: Shape): Tensor<D> {
    return expand(this, shape) as Tensor<D>;
  }
  /** One [start, end, step?] for each axis, null for all of it. Negative bounds count from the end; step ≥ 1. */
  slice(ranges: readonly (SliceRange | null)[]): Tensor<D> {
    return slice(this, ranges) as Tensor<D>;
  }
  /** Zeros, or a value, before and after each axis: [[low, high], …]. */
  pad(widths: readonly (readonly [number, number])[], value = 0): Tensor<D> {
    return pad(this, widths, value) as Tensor<D>;
  }
  /** Reverses axes. */
  flip(axes: number | readonly number[]): Tensor<D> {
    return flip(this, axes) as Tensor<D>;
  }

  // Reductions over the given axes, all by default.
  /** Σ over the axes, all if none are given. */
  sum(axes?: number | readonly number[], options?: ReduceOptions): Tensor<D> {
    return sum(this, axes, options) as Tensor<D>;
  }
  /** The mean over the axes, all if none are given; floats only. */
  mean(axes?: number | readonly number[], options?: ReduceOptions): Tensor<D> {
    return mean(this, axes, options) as Tensor<D>;
  }
  /** The largest element along the axes, all if none are given. */
  max(axes?: number | readonly number[], options?: ReduceOptions): Tensor<D> {
    return max(this, axes, options) as Tensor<D>;
  }
  /** The smallest element along the axes, all if none are given. */
  min(axes?: number | readonly number[], options?: ReduceOptions): Tensor<D> {
    return min(this, axes, options) as Tensor<D>;
  }

  /** [..., M, K] × [..., K, N] → [..., M, N], leading axes broadcast; a vector [K] is a row on the left, a column on the right. */
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }

  /**
   * The elements, in row-major order. Runs what is not computed yet and waits for the device.
   * @throws TraceError inside a traced function; DisposedTensorError, DonatedTensorError; the device's typed errors.
   */
  async read(): Promise<HostArray<D>> {
    const { device } = this;
    if (!device) {
      const hint = 'Use device.run(tensor), then read()';
      throw new ValueError('read', `nothing in this graph belongs to a device yet. ${hint}.`);
    }
    if (device.tracing) {
      const hint = 'Return it and read the result';
      throw new TraceError('read', `a tensor cannot be read while a function is traced. ${hint}.`);
    }
    if (!this.usable('read').storage) await device.run(this);
    return (await device.download(this)) as HostArray<D>;
  }

  /** The one element of a tensor of size 1. */
  async item(): Promise<number> {
    if (this.size !== 1) throw new ValueError('item', `the tensor has ${this.size} elements, not 1. Use read().`);
    return (await this.read())[0]!;
  }

  /** The same elements under a handle of its own. */
  clone(): Tensor<D> {
    return identity(this) as Tensor<D>;
  }

  /** Gives the memory back. Anything not yet computed from this tensor can no longer be. */
  dispose(): void {
    this.storage?.end();
  }

  /** `using tensor = …` disposes it. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Its dtype and shape, as in `Tensor f32 [2, 3]`: what a console and JSON show of it. Its elements are what {@link read} gives. */
  toString(): string {
    return `Tensor ${showType(this)}`;
  }

  /** Not the graph that it is a part of. */
  toJSON(): string {
    return this.toString();
  }

  static {
    Object.assign(Tensor.prototype, { [Symbol.for('nodejs.util.inspect.custom')]: Tensor.prototype.toString });
  }

  /** @internal Itself, for an op that is about to use it. Throws if its memory has been given back. */
  usable(op: string): this {
    const status = this.storage?.status;
    if (status === 'disposed') {
      throw new DisposedTensorError(op, 'the tensor was disposed before. Dispose it after its last use.');
    }
    if (status === 'donated') {
      throw new DonatedTensorError(op, 'the tensor was donated to a compiled call. Use what that call returned.');
    }
    return this;
  }
}

/** Applies an op: runs its shape and dtype rules, then adds the node. */
export function apply(op: Op, inputs: readonly Value[], attributes: Attributes = {}): readonly Tensor[] {
  const node = new Node(op, inputs, attributes);
  const outputs = op
    .infer(inputs, attributes)
    .map(({ shape, dtype }) => new Tensor(node, shape, checkDType(op.name, dtype)));
  node.outputs = outputs;
  if (inputs.some(({ device }) => device?.debug)) node.calledAt = new Error(`${op.name} was called here`);
  return outputs;
}

/** Applies a node again where inputs of it have been replaced, and notes what replaces its outputs. */
export function reapply({ op, inputs, outputs, attributes }: Node, replaced: Map<Value, Value>): void {
  if (!inputs.some((input) => replaced.has(input))) return;
  const now = inputs.map((input) => replaced.get(input) ?? input);
  apply(op, now, attributes).forEach((fresh, i) => {
    replaced.set(outputs[i]!, fresh);
  });
}

/** A value of the graph as what it is: all of them are made here. */
export function tensorOf(value: Value): Tensor {
  return value as Tensor;
}

export function isLeafTensor(x: unknown): x is Tensor {
  return x instanceof Tensor;
}

/** A tensor for a number: an operand, uploaded with each call. */
export function toTensor(op: string, x: TensorLike, dtype: DType): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x !== 'number') throw new DTypeError(op, `an operand must be a tensor or a number, got ${typeof x}.`);
  return operand([x], [], dtype, op);
}

/**
 * A leaf of a few host words.
 * @throws ValueError for a number that the dtype does not hold: it would wrap around to another one.
 */
export function operand(numbers: readonly number[], shape: Shape, dtype: DType, op = 'scalar'): Tensor {
  const words = new Uint32Array(numbers.length);
  checkDType(op, dtype);
  if (dtype === 'f32' || dtype === 'f16') new Float32Array(words.buffer).set(numbers);
  else {
    const [low, high] = wholeRanges[dtype];
    const broken = numbers.find((x) => !Number.isInteger(x) || x < low || x > high);
    if (broken !== undefined) {
      const must = `an operand of dtype ${dtype} must be a whole number from ${low} to ${high}`;
      throw new ValueError(op, `${must}, got ${broken}. Cast the tensor.`);
    }
    if (dtype === 'i32') new Int32Array(words.buffer).set(numbers);
    else words.set(numbers);
  }
  const value = leafValue(operandLeaf, { shape, dtype });
  value.operand = words;
  return value;
}
