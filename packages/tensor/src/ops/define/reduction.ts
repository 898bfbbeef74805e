// Reductions from outside: an accumulator in WGSL, and the same in plain JavaScript.
import { type DType, floats } from '../../graph/dtype.js';
import type { Accumulator, HostElements, NoGradient } from '../../graph/op.js';
import { sizeOf, stridesOf } from '../../graph/shape.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { type Axes, keepAxes, overAxes, reducing } from '../reduce/reductions.js';
import type { OpHandle } from './names.js';
import { reduction as definedReduction } from './op.js';

/** What a reduction is: see {@link reduction}. */
export interface ReductionDefinition {
  /** For messages and labels. Two ops may have one name. */
  readonly name: string;
  /** Default: f32 and f16. */
  readonly dtypes?: readonly DType[];
  /** The result's dtype. Default: the input's. */
  readonly result?: DType;
  /** In WGSL; a function of the dtype where dtypes differ in it. */
  readonly accumulator: Accumulator | ((dtype: DType) => Accumulator);
  /** Whether reducing the results of parts gives the result of all, so that long ones run in two stages. Default false. */
  readonly splits?: boolean;
  /** The same in plain JavaScript, of the elements in row-major order. */
  readonly reference: (elements: readonly number[]) => number;
  /** The gradient in tensor operations; `output` and `cotangent` keep the reduced axes at size 1. */
  readonly vjp:
    | ((context: { readonly x: Tensor; readonly output: Tensor; readonly cotangent: Tensor }) => Tensor)
    | NoGradient;
}

/** A reduction over axes, all by default. */
export interface ReductionFunction {
  (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  readonly op: OpHandle;
}

/**
 * Defines a reduction. Elementwise ops that make its input are fused into it, as in the built-in ones.
 *
 * @example
 * const norm = reduction({
 *   name: 'norm',
 *   accumulator: {
 *     variables: [{ type: 'f32', initial: '0' }],
 *     step: ([sum], x) => `${sum} += ${x} * ${x};`,
 *     sums: [0], // summed in blocks, so that long rows keep their digits
 *     merge: ([a], [b]) => `${a} += ${b};`,
 *     result: ([sum]) => `sqrt(${sum})`,
 *   },
 *   splits: true,
 *   reference: (xs) => Math.hypot(...xs),
 *   vjp: ({ x, output, cotangent }) => cotangent.mul(x.div(output)),
 * });
 */
export function reduction(definition: ReductionDefinition): ReductionFunction {
  const { name, dtypes = floats, result, accumulator, reference, vjp } = definition;
  const op = definedReduction<Axes>({
    name,
    splits: definition.splits ?? false,
    infer: reducing(name, dtypes, { result }),
    accumulator: (dtype) => (typeof accumulator === 'function' ? accumulator(dtype) : accumulator),
    interpret: ([x], { axes }) => [rowsOf(x!, axes).map(reference)],
    vjp:
      typeof vjp === 'function'
        ? ({ inputs, outputs, cotangent, attributes: { axes } }) => {
            const x = inputs[0]!;
            const kept = (y: Tensor) => keepAxes(y, x, axes);
            return [vjp({ x, output: kept(outputs[0]!), cotangent: kept(cotangent) }).expand(x.shape)];
          }
        : vjp,
  });
  return overAxes(op);
}

/** The elements along the axes, in row-major order, for each place in the others. */
export function rowsOf({ shape, data }: Omit<HostElements, 'dtype'>, axes: readonly number[]): number[][] {
  const strides = stridesOf(shape);
  const kept = shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const keptStrides = stridesOf(kept);
  const rows: number[][] = Array.from({ length: sizeOf(kept) }, () => []);
  data.forEach((x, i) => {
    const row = kept.reduce((sum, n, axis) => sum + (Math.floor(i / strides[axis]!) % n) * keptStrides[axis]!, 0);
    rows[row]!.push(x);
  });
  return rows;
}
