// Functions of elements: `unary` and `binary` for one and two, `elementwise` for any number of named inputs. All three
// take WGSL as text, or a shader function.
import { DTypeError, ValueError } from '../../errors.js';
import {
  type ComputeType,
  computeType,
  type DType,
  dtypes as everyDType,
  floats,
  numeric,
  promote,
  requireDType,
} from '../../graph/dtype.js';
import type { NoGradient, PointwiseOp, Vjp } from '../../graph/op.js';
import type { ElementKernel, ShaderFunction } from '../../graph/shader-function.js';
import { isLeafTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Named, named, type OpHandle, requireNames, requireVariables } from './names.js';
import { applyOp, broadcast, type GradientRule, type WithOp } from './op.js';

/**
 * One element: WGSL, an expression of the inputs' names or statements that end in `return`; or a shader function of the
 * inputs, in their order. f16 arrives as f32.
 */
export type ElementBody = string | ShaderFunction;

/** One body for all dtypes, or one for each type that they are computed in: `{ f32: 'abs(x)', u32: 'x' }`. */
export type ElementBodies = ElementBody | Partial<Record<ComputeType, ElementBody>>;

interface ElementDefinition {
  /** For messages and labels. Two ops may have one name. */
  readonly name: string;
  /** The dtypes that the inputs may have. All inputs have one dtype, but f16 and f32 mix to f32. */
  readonly dtypes?: readonly DType[];
  /** The result's dtype. Default: the inputs'. */
  readonly result?: DType;
  /** How expensive one element is, in additions: decides whether it is stored or recomputed. */
  readonly cost?: number;
}

/** A function of one element. */
export type UnaryFunction = WithOp<(x: Tensor) => Tensor>;

/** What a function of one element is: see {@link unary}. The dtypes are f32 and f16, the cost is 1 by default. */
export interface UnaryDefinition extends ElementDefinition {
  /** In text the element is `x`. */
  readonly kernel: ElementBodies | ElementKernel;
  /** The same in plain JavaScript, bool as 0 or 1: what the checks compare the device with. */
  readonly reference?: (x: number) => number;
  /** The gradient in tensor operations; `y` is the result. */
  readonly vjp: ((context: Readonly<Record<'x' | 'y' | 'cotangent', Tensor>>) => Tensor) | NoGradient;
}

/**
 * Defines a function of one element, as the built-in activations are.
 *
 * @example
 * const softplus = unary({
 *   name: 'softplus',
 *   kernel: 'max(x, 0) + log(1 + exp(-abs(x)))',
 *   reference: (x) => Math.log1p(Math.exp(x)),
 *   vjp: ({ x, cotangent }) => cotangent.mul(sigmoid(x)),
 * });
 */
export function unary(definition: UnaryDefinition): UnaryFunction {
  const op = elementOp(['x'], 'y', { dtypes: floats, cost: 1, ...definition });
  return Object.assign((x: Tensor) => applyOp(op, [x]), { op });
}

/** A function of two elements, with broadcasting; a plain number is an operand of the other's dtype. */
export type BinaryFunction = WithOp<(a: TensorLike, b: TensorLike) => Tensor>;

/** What a function of two elements is: see {@link binary}. The dtypes are all numbers, the cost is 1 by default. */
export interface BinaryDefinition extends ElementDefinition {
  /** In text the elements are `a` and `b`. */
  readonly kernel: ElementBodies | ElementKernel;
  /** The same in plain JavaScript, bool as 0 or 1: what the checks compare the device with. */
  readonly reference?: (a: number, b: number) => number;
  /** The two gradients in tensor operations, undefined for an input that has none; `y` is the result. */
  readonly vjp:
    | ((context: Readonly<Record<'a' | 'b' | 'y' | 'cotangent', Tensor>>) => readonly (Tensor | undefined)[])
    | NoGradient;
}

/**
 * Defines a function of two elements, as the built-in arithmetic is.
 *
 * @example
 * const squaredDifference = binary({
 *   name: 'squaredDifference',
 *   kernel: '(a - b) * (a - b)',
 *   reference: (a, b) => (a - b) ** 2,
 *   vjp({ a, b, cotangent }) {
 *     const slope = a.sub(b).mul(2).mul(cotangent);
 *     return [slope, slope.neg()];
 *   },
 * });
 */
export function binary(definition: BinaryDefinition): BinaryFunction {
  const op = elementOp(['a', 'b'], 'y', { dtypes: numeric, cost: 1, ...definition });
  return Object.assign((a: TensorLike, b: TensorLike) => applyOp(op, broadcast(op.name, a, b)), { op });
}

/** What an elementwise function is: see {@link elementwise}. The dtypes are f32 and f16, the cost is 4 by default. */
export interface ElementwiseDefinition<Names extends readonly string[]> extends ElementDefinition {
  /** The inputs' names, in the order of the arguments: variables of `wgsl`, members of what `vjp` is given. */
  readonly inputs: Names;
  /** In text the elements have the inputs' names. */
  readonly wgsl: ElementBodies;
  /** The same in plain JavaScript, bool as 0 or 1: what the checks compare the device with. */
  readonly reference: (...elements: { readonly [K in keyof Names]: number }) => number;
  /** Gradients, one for each input in their order, in tensor operations; undefined for an input that has none. */
  readonly vjp:
    | ((context: ElementwiseContext<Names>) => { readonly [K in keyof Names]: Tensor | undefined })
    | NoGradient;
}

/** The inputs by name, the result, and its cotangent: all of one shape. */
export type ElementwiseContext<Names extends readonly string[]> = Named<Names, Tensor> & {
  readonly output: Tensor;
  readonly cotangent: Tensor;
};

/** A function of elements, with broadcasting. A plain number is an operand: uploaded with each call, never compiled in. */
export interface ElementwiseFunction<Names extends readonly string[]> {
  (...inputs: { readonly [K in keyof Names]: TensorLike }): Tensor;
  readonly op: OpHandle;
}

/**
 * Defines a function of elements, which fuses with its neighbours as the built-in ones do.
 *
 * @example
 * const swish = elementwise({
 *   name: 'swish',
 *   inputs: ['x', 'beta'],
 *   wgsl: 'x / (1 + exp(-beta * x))',
 *   reference: (x, beta) => x / (1 + Math.exp(-beta * x)),
 *   vjp({ x, beta, cotangent }) {
 *     const s = sigmoid(x.mul(beta));
 *     const slope = s.mul(s.rsub(1));
 *     return [cotangent.mul(s.add(x.mul(beta).mul(slope))), cotangent.mul(x.square().mul(slope))];
 *   },
 * });
 *
 * @throws ValueError if an input has no name that WGSL takes, one that is taken, or, where `wgsl` is text, one that WGSL reserves,
 *   such as `target`; if one of the dtypes has no text
 */
export function elementwise<const Names extends readonly string[]>(
  definition: ElementwiseDefinition<Names>,
): ElementwiseFunction<Names> {
  const { name, inputs: names, wgsl } = definition;
  requireNames(name, names);
  const bodies = isBody(wgsl) ? [wgsl] : Object.values(wgsl);
  if (bodies.some((body) => typeof body === 'string')) requireVariables(name, names);
  const op = elementOp(names, 'output', { dtypes: floats, cost: 4, ...definition, kernel: wgsl });
  const call = (...inputs: { readonly [K in keyof Names]: TensorLike }) =>
    applyOp(op, broadcast(name, ...names.map((_, i) => inputs[i]!)));
  return Object.assign(call, { op });
}

/** A definition with its defaults filled in, whatever its inputs are. */
interface ElementRules extends Required<Pick<ElementDefinition, 'name' | 'dtypes' | 'cost'>> {
  readonly result?: DType;
  readonly kernel: ElementBodies | ElementKernel;
  readonly reference?: (...elements: never) => number;
  readonly vjp: ((context: never) => Tensor | readonly (Tensor | undefined)[]) | NoGradient;
}

/**
 * An op whose elements are functions of the inputs' elements in the same place; the inputs have one shape. Its gradient sees
 * the inputs by their names and the result as `output`.
 */
function elementOp(names: readonly string[], output: string, rules: ElementRules): PointwiseOp {
  const { name, dtypes, cost, result, reference, vjp } = rules;
  const kernels = kernelsOf(name, names, rules.kernel, dtypes, result);
  const scalar = reference as ((...elements: number[]) => number) | undefined;
  const gradient: GradientRule = ({ inputs, outputs: [y], cotangent }) => {
    const gradients = (vjp as (context: object) => Tensor | readonly (Tensor | undefined)[])({
      ...named(names, inputs),
      [output]: y,
      cotangent,
    });
    return isLeafTensor(gradients) ? [gradients] : gradients;
  };
  return {
    kind: 'pointwise',
    name,
    cost,
    infer(inputs) {
      for (const { dtype } of inputs) requireDType(name, dtype, dtypes);
      const dtype = inputs.map((x) => x.dtype).reduce((a, b) => promote(name, a, b));
      return [{ shape: inputs[0]!.shape, dtype: result ?? dtype }];
    },
    emit({ inputs, read, call }) {
      const { dtype } = inputs[0]!;
      const kernel = kernels[computeType(dtype)];
      if (!kernel) throw new DTypeError(name, `internal: there is no body for ${dtype}.`);
      return call(kernel, ...inputs.map((_, i) => read(i)));
    },
    relate: (relation) => relation,
    ...(scalar && {
      interpret: ([first, ...rest]) => [first!.data.map((x, i) => scalar(x, ...rest.map(({ data }) => data[i]!)))],
    }),
    vjp: typeof vjp === 'function' ? (gradient as Vjp) : vjp,
  };
}

/** A shader function for each type that the dtypes are computed in. */
function kernelsOf(
  op: string,
  names: readonly string[],
  given: ElementBodies | ElementKernel,
  dtypes: readonly DType[],
  result: DType | undefined,
): Partial<Record<ComputeType, ShaderFunction>> {
  const kernels: Partial<Record<ComputeType, ShaderFunction>> = {};
  for (const type of new Set(everyDType.filter((dtype) => dtypes.includes(dtype)).map(computeType))) {
    const to = computeType(result ?? type);
    // No function of WGSL is called so; names there begin with a letter, or one _ before it.
    const name = `${op.replace(/\W/g, '_').replace(/^(?![a-z])/i, 'f')}_${type}`;
    const body = isBody(given) ? given : 'compile' in given ? given.compile(name, names.length, type, to) : given[type];
    if (body === undefined) throw new ValueError(op, `there is no text for its dtype ${type}. Give one.`);
    kernels[type] = typeof body === 'string' ? { declarations: [textOf(name, body, names, type, to)] } : body;
  }
  return kernels;
}

function isBody(given: ElementBodies | ElementKernel): given is ElementBody {
  return typeof given === 'string' || 'declarations' in given;
}

function textOf(name: string, body: string, inputs: readonly string[], type: ComputeType, to: ComputeType): string {
  const statements = /\breturn\b/.test(body) ? body : `return ${body};`;
  return `fn ${name}(${inputs.map((input) => `${input}: ${type}`).join(', ')}) -> ${to} { ${statements} }`;
}
