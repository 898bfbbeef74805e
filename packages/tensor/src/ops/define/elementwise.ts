// Functions of elements from outside: WGSL as text, so that a user needs no build plugin.
import tgpu, { type TgpuFn } from 'typegpu';
import { type ComputeType, computeType, type DType, dtypes as everyDType, floats } from '../../graph/dtype.js';
import type { NoGradient } from '../../graph/op.js';
import { computeTypes, type ElementKernel } from '../../shader/fn.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { applyOp, broadcast, elementOp } from './define.js';
import { type Named, named, type OpHandle, requireNames } from './names.js';

/** What an elementwise function is: see {@link elementwise}. */
export interface ElementwiseDefinition<Names extends readonly string[]> {
  /** For messages and labels. Two ops may have one name. */
  readonly name: string;
  /** The inputs' names, in the order of the arguments: variables of `wgsl`, members of what `vjp` is given. */
  readonly inputs: Names;
  /** The dtypes that the inputs may have. Default: f32 and f16. All inputs have one dtype, but f16 and f32 mix to f32. */
  readonly dtypes?: readonly DType[];
  /** The result's dtype. Default: the inputs'. */
  readonly result?: DType;
  /**
   * One element: a WGSL expression of the inputs' names, or statements that end in `return`; or a TypeGPU function.
   * f16 arrives as f32. Integers and bool need a text of their own: `{ f32: 'abs(x)', u32: 'x' }`.
   */
  readonly wgsl: string | TgpuFn | Partial<Record<ComputeType, string | TgpuFn>>;
  /** The same in plain JavaScript, bool as 0 or 1: what the checks compare the device with. */
  readonly reference: (...elements: { readonly [K in keyof Names]: number }) => number;
  /** Gradients, one for each input in their order, in tensor operations; undefined for an input that has none. */
  readonly vjp:
    | ((context: ElementwiseContext<Names>) => { readonly [K in keyof Names]: Tensor | undefined })
    | NoGradient;
  /** How dear one element is, in additions: decides whether it is stored or computed again. Default 4. */
  readonly cost?: number;
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
 * @throws ValueError if a name cannot stand in WGSL
 */
export function elementwise<const Names extends readonly string[]>(
  definition: ElementwiseDefinition<Names>,
): ElementwiseFunction<Names> {
  const { name, inputs: names, dtypes = floats, cost = 4, result, reference, vjp } = definition;
  requireNames(name, names);
  const scalars = reference as (...elements: number[]) => number;
  const op = elementOp({
    name,
    dtypes,
    cost,
    result,
    kernel: kernelOf(definition),
    interpret: ([first, ...rest]) => [first!.data.map((x, i) => scalars(x, ...rest.map(({ data }) => data[i]!)))],
    vjp:
      typeof vjp === 'function'
        ? ({ inputs, outputs, cotangent }) =>
            vjp({ ...named(names, inputs), output: outputs[0]!, cotangent } as ElementwiseContext<Names>)
        : vjp,
  });
  const call = (...inputs: { readonly [K in keyof Names]: TensorLike }) =>
    applyOp(op, broadcast(name, ...names.map((_, i) => inputs[i]!)));
  return Object.assign(call, { op });
}

type Text = Pick<ElementwiseDefinition<readonly string[]>, 'inputs' | 'wgsl' | 'dtypes' | 'result'>;

/** A TypeGPU function for each compute type, made from its text. */
function kernelOf({ wgsl, inputs, result, dtypes = floats }: Text): ElementKernel {
  const kernels: Partial<Record<ComputeType, TgpuFn>> = {};
  for (const type of new Set(everyDType.filter((dtype) => dtypes.includes(dtype)).map(computeType))) {
    const body = typeof wgsl === 'string' || typeof wgsl === 'function' ? wgsl : wgsl[type];
    if (typeof body !== 'string') {
      if (body) kernels[type] = body;
      continue;
    }
    const to = result ? computeType(result) : type;
    const statements = /\breturn\b/.test(body) ? body : `return ${body};`;
    const text = `(${inputs.map((input) => `${input}: ${type}`).join(', ')}) -> ${to} { ${statements} }`;
    const args = inputs.map(() => computeTypes[type]);
    kernels[type] = tgpu.fn(args, computeTypes[to])(text) as TgpuFn;
  }
  return kernels;
}
