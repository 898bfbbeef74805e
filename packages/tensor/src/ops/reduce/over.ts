// What reductions share.
import { ShapeError } from '../../errors.js';
import { type DType, isFloat, requireDType } from '../../graph/dtype.js';
import type { Type } from '../../graph/node.js';
import type { Accumulator, Op } from '../../graph/op.js';
import { normalizeAxes, showShape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import { HIDDEN_ZERO } from '../../kernels/loops.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';

/** The attributes of an op over axes, counted from the front; those of a reduction are sorted. */
export type Axes = { readonly axes: readonly number[] };

/** A reduction over axes as a function, with its op. */
export type Reduction = WithOp<(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor>;

/** The function that applies a reduction over axes, by default all, and puts axes of size 1 back where they are kept. */
export function overAxes(op: Op, byDefault?: number): Reduction {
  return withOp(op, (x, axes = byDefault, options = {}) => {
    const list = normalizeAxes(op.name, axes, requireTensor(op.name, x).rank);
    const result = list.length === 0 ? x : applyOp(op, [x], { axes: list });
    return options.keepDims ? keepAxes(result, x, list) : result;
  });
}

interface ReducingOptions {
  /** The result's dtype. Default: the input's. */
  readonly result?: DType | undefined;
  /** Refuses reductions of nothing, which would have no value. Default false. */
  readonly needsElements?: boolean;
}

/** The type rule of a reduction of these dtypes: the axes are gone. */
export function reducing(
  name: string,
  dtypes: readonly DType[],
  { result, needsElements = false }: ReducingOptions = {},
): (inputs: readonly Type[], attributes: Axes) => Type[] {
  return ([x], { axes }) => {
    const { shape, dtype } = x!;
    requireDType(name, dtype, dtypes);
    if (needsElements && axes.some((axis) => shape[axis] === 0)) {
      const where = `${showShape(shape)} over axes ${showShape(axes)}`;
      throw new ShapeError(name, `there is no ${name} of no elements: ${where}.`);
    }
    return [{ shape: shape.filter((_, i) => !axes.includes(i)), dtype: result ?? dtype }];
  };
}

/** A reduced tensor with its axes back at size 1, to broadcast against what it was reduced from. */
export function keepAxes(reduced: Tensor, from: Tensor, axes: readonly number[]): Tensor {
  return reduced.reshape(from.shape.map((n, i) => (axes.includes(i) ? 1 : n)));
}

/** The accumulator of a sum; floats are summed in f32, in blocks. */
export function sumAccumulator(dtype: DType): Accumulator {
  const add = (a: string, b: string) => `${a} + ${b}`;
  if (!isFloat(dtype)) return simpleAccumulator(dtype, `${dtype}(0)`, add);
  return { ...simpleAccumulator('f32', '0.0f', add), sums: [0] };
}

/**
 * An accumulator that is one variable and one combining expression. Text, since the loop around it is put together at run
 * time: see kernels/loops.ts. The plain forms in kernels/plain.testing.ts are typed.
 */
export function simpleAccumulator(
  type: string,
  initial: string,
  combine: (a: string, b: string) => string,
): Accumulator {
  return {
    variables: [{ type, initial }],
    step: ([a], x) => `${a} = ${combine(a!, x)};`,
    merge: ([a], [b]) => `${a} = ${combine(a!, b!)};`,
    result: ([a]) => a!,
  };
}

/**
 * The extreme values of a dtype in WGSL, from which a maximum or minimum starts. WGSL has no infinity that is a constant:
 * it comes about at run time, from its bits.
 */
export function extremes(dtype: DType): { lowest: string; highest: string; type: string } {
  if (dtype === 'i32') return { lowest: 'i32(-2147483647 - 1)', highest: '2147483647i', type: 'i32' };
  if (dtype === 'u32') return { lowest: '0u', highest: '4294967295u', type: 'u32' };
  if (dtype === 'bool') return { lowest: 'false', highest: 'true', type: 'bool' };
  const infinity = (bits: string) => `bitcast<f32>(${bits} + ${HIDDEN_ZERO})`;
  return { lowest: infinity('0xff800000u'), highest: infinity('0x7f800000u'), type: 'f32' };
}
