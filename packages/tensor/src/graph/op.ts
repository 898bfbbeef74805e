// What an op is. One object holds its rules, its shader and its gradient; the compiler asks the object and never
// switches on names. There are five kinds, which differ in how their elements are computed.
import type { Extent, GeneratedKernel, KernelAdapter } from './kernel.js';
import type { Attributes, Type, Value } from './node.js';
import type { Position, Relation, RowPlace } from './position.js';
import type { ShaderFunction } from './shader-function.js';
import type { Strided } from './strided.js';

export type Op = LeafOp | PointwiseOp | ReduceOp | TiledOp | CompositeOp | PackOp;

/**
 * `A` is the type of its attributes; {@link Attributes} in code that only passes them on. `T` is a value of the graph, or a
 * tensor where ops are written.
 */
interface OpBase<A = Attributes, T = Value> {
  readonly name: string;
  /** Shape and dtype rules; throws ShapeError or DTypeError before anything runs. */
  infer(inputs: readonly Type[], attributes: A): Type[];
  readonly vjp: Vjp<A, T> | NoGradient;
  /** An input that holds places (u32), and how many there are: under `device.debug` one beyond them is an error. */
  indices?(inputs: readonly Type[], attributes: A): { readonly input: number; readonly below: number };
  /** The op in plain JavaScript. Users' ops define it here, ours in testing/interpret-ops.ts. */
  interpret?(inputs: readonly HostElements[], attributes: A): readonly ArrayLike<number>[];
}

/** A tensor in plain JavaScript: row-major, bool as 0 or 1. */
export interface HostElements extends Type {
  readonly data: Float64Array;
}

/**
 * The gradient of one application, as new nodes. It need not undo broadcasting or check which inputs need a gradient:
 * unused gradients are never computed.
 */
export type Vjp<A = Attributes, T = Value> = (context: VjpContext<A, T>) => readonly (T | undefined)[];
export interface VjpContext<A = Attributes, T = Value> {
  readonly inputs: readonly T[];
  readonly outputs: readonly T[];
  /** One for each output; undefined where the output has no influence on the result. */
  readonly cotangents: readonly (T | undefined)[];
  /** That of the first output, zeros if it has none. */
  readonly cotangent: T;
  readonly attributes: A;
  /** The gradient of operations that mean the same as the op, at its inputs and cotangents: reverse mode brings it. */
  pullThrough(meaning: Decompose<A, T>): readonly (T | undefined)[];
}
/** The results of an op in other ops. */
export type Decompose<A = Attributes, T = Value> = (inputs: readonly T[], attributes: A) => readonly T[];
/** A gradient that does not exist, with the reason; `zero` where it is zero everywhere it is defined. */
export interface NoGradient {
  readonly none: string;
  readonly zero: boolean;
}

/** Something that enters a graph: a buffer, a parameter of a traced function, or words uploaded with each call. */
export interface LeafOp extends OpBase {
  readonly kind: 'leaf';
}

/** Each element is an expression of its position and of elements of the inputs: arithmetic, views, gathers, random. */
export interface PointwiseOp<A = Attributes, T = Value> extends OpBase<A, T> {
  readonly kind: 'pointwise';
  /** Cost of computing one element, in additions: decides between recomputing and storing. Views cost 0. */
  readonly cost: number;
  /** WGSL of one element in its compute type. */
  emit(context: EmitContext<A>): string;
  /** Where this reads its inputs, given the position of its own element. Default: anywhere. */
  relate?(relation: Relation, context: { input: Type; output: Type; length: number }): Relation;
  /** For views: the same elements as a strided window of the input, if there is one. */
  strided?(input: Strided, context: { attributes: A; output: Type }): Strided | undefined;
  /** Reads its first input only: the others have to be computed before it. */
  readonly waits?: boolean;
  /** Takes numbers out of words that hold several: kernels of their own do it as they load, see compile/prologue.ts. */
  readonly unpacks?: boolean;
}

export interface EmitContext<A = Attributes> {
  readonly attributes: A;
  readonly inputs: readonly Type[];
  readonly output: Type;
  readonly position: Position;
  /** An element of an input, at the output's own position if none is given. */
  read(input: number, position?: Position): string;
  /** Calls a shader function. */
  call(fn: ShaderFunction, ...args: string[]): string;
  /** Gives an expression a name, so that it is computed once. */
  name(expression: string): string;
}

/** One element of the output for many of the input, over given axes. */
export interface ReduceOp<A = Attributes, T = Value> extends OpBase<A, T> {
  readonly kind: 'reduce';
  /** The variables of a running reduction, and how it adds the element `x` at `index` along the axes. */
  accumulator(dtype: Type['dtype']): Accumulator;
  /** Whether the reduction of partial results is the same reduction: then long ones run in two stages. */
  readonly splits: boolean;
}

/** A running reduction in WGSL. Each function is given names of variables and returns text. */
export interface Accumulator {
  /** WGSL types, and expressions that they start with. */
  readonly variables: readonly { readonly type: string; readonly initial: string }[];
  /** Statements that add the element `x` (f32 for floats), which is at `index` (u32) along the axes. */
  step(variables: readonly string[], x: string, index: string): string;
  /**
   * The variables that are sums (f32, from 0): these are summed in blocks, whose sums are summed in blocks, so that the
   * rounding of a long row stays small. Default: none.
   */
  readonly sums?: readonly number[];
  /** Statements that merge a second accumulator, of other elements, into the first. */
  merge(first: readonly string[], second: readonly string[]): string;
  /** An expression of the result. */
  result(variables: readonly string[]): string;
}

/** A kernel of its own with blocks, tiles or several results; elementwise users are folded into its stores. */
export interface TiledOp<A = Attributes, T = Value> extends OpBase<A, T> {
  readonly kind: 'tiled';
  generate(context: TiledContext): GeneratedKernel;
  /** Whether an input may be read through this window of its buffer; otherwise it is copied first. Default: any. */
  windows?(window: Strided, input: number): boolean;
  /** Multiplications and additions, for profiles. */
  flops?(inputs: readonly Type[], outputs: readonly Type[]): number;
  /** The same in plain operations, which the kernel must equal: for ops that have no definition in plain JavaScript. */
  reference?(inputs: readonly T[], attributes: A): readonly T[];
}

/** An operand in memory: how to read its buffer, and which window of the buffer is meant. */
export interface TiledOperand {
  /** A WGSL expression of the element (f32) at a linear index, a u32 expression, of the operand's buffer. */
  readonly element: (index: string) => string;
  readonly window: Strided;
}

export interface TiledContext {
  readonly adapter: KernelAdapter;
  readonly attributes: Attributes;
  readonly inputs: readonly Type[];
  readonly outputs: readonly Type[];
  operand(input: number): TiledOperand;
  /** A size that may change between calls without a new pipeline: read from the dispatch's uniforms. */
  uniform(value: number): Extent;
  /**
   * WGSL statements that finish one element of an output (fused users included) at its row-major index.
   * @param at - the same place in rows, where the kernel knows it: users then need no division. For all elements of the
   *   output or for none.
   */
  store(output: number, index: string, value: string, at?: RowPlace): string;
}

/** Written in other ops. The compiler replaces it; its gradient may be better than that of its parts. */
export interface CompositeOp<A = Attributes, T = Value> extends OpBase<A, T> {
  readonly kind: 'composite';
  decompose(inputs: readonly T[], attributes: A): readonly T[];
}

/** Lays tensors side by side in one buffer; the planner lets their producers write there. */
export interface PackOp<A = Attributes, T = Value> extends OpBase<A, T> {
  readonly kind: 'pack';
}
