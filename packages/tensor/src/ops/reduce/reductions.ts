// Reductions over axes, and what they share with those from outside.
import { ShapeError } from '../../errors.js';
import { type DType, dtypes, floats, isFloat, numeric, requireDType } from '../../graph/dtype.js';
import type { Type } from '../../graph/node.js';
import type { Accumulator, Op } from '../../graph/op.js';
import { normalizeAxes, showShape, sizeOf } from '../../graph/shape.js';
import { HIDDEN_ZERO } from '../../kernels/loops.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { exp, log } from '../arithmetic/functions.js';
import { finite } from '../compare/comparisons.js';
import { literal, zeros } from '../creation/constant.js';
import {
  applyOp,
  composite,
  onDeviceOf,
  reduction,
  requireTensor,
  type WithOp,
  withOp,
  zeroGradient,
} from '../define/op.js';
import { where } from '../where.js';

const sumOp = reduction<Axes>({
  name: 'sum',
  splits: true,
  infer: reducing('sum', numeric),
  accumulator: sumAccumulator,
  vjp: ({ inputs: [x], cotangent, attributes }) => [keepAxes(cotangent, x!, attributes.axes).expand(x!.shape)],
});

/**
 * The sum over axes, all by default. f16 is summed in f32. The order of the additions is fixed: in blocks of 64, 64² and
 * 64³ elements. So a sum of n elements is off by at most (192 + n / 2¹⁸) · 2⁻²⁴ of the sum of their absolute values, and
 * sums of the same elements over other axes agree within twice that. Integers wrap around. The sum of nothing is 0.
 */
export const sum: Reduction = overAxes(sumOp);

/**
 * The arithmetic mean over axes, all by default: {@link sum}, within its bound, divided by the number of elements. The mean
 * of nothing is NaN.
 */
export function mean(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  requireDType('mean', requireTensor('mean', x).dtype, floats);
  const list = normalizeAxes('mean', axes, x.rank);
  const count = sizeOf(list.map((axis) => x.shape[axis]!));
  // In f32 throughout: a sum may lie beyond what f16 holds where its mean does not.
  const total = sum(x.cast('f32'), axes, options);
  // By its bits: drivers give anything for 0 / 0.
  if (count === 0) return total.add(Number.NaN).cast(x.dtype);
  // Over the batch the count varies: an operand, so that batches of any size share shaders.
  return total.div(list.includes(0) ? count : literal(count)).cast(x.dtype);
}

const prodOp = reduction<Axes>({
  name: 'prod',
  splits: true,
  infer: reducing('prod', numeric),
  accumulator: (dtype) =>
    simpleAccumulator(isFloat(dtype) ? 'f32' : dtype, isFloat(dtype) ? '1.0f' : `${dtype}(1)`, (a, b) => `${a} * ${b}`),
  // The product of the others: of those that are not 0, divided by the element; where one is 0, only that one counts.
  vjp({ inputs: [x], cotangent, attributes: { axes } }) {
    const isZero = x!.equal(0);
    const rest = where(isZero, 1, x!);
    const others = keepAxes(prod(rest, axes), x!, axes);
    const zeros = keepAxes(isZero.cast('u32').sum(axes), x!, axes);
    const slope = where(isZero, where(zeros.equal(1), others, 0), where(zeros.equal(0), others.div(rest), 0));
    return [keepAxes(cotangent, x!, axes).mul(slope)];
  },
});

/**
 * The product over axes, all by default. f16 is multiplied in f32, integers wrap around; the product of nothing is 1. The
 * relative error of n factors is at most n · 2⁻²⁴.
 */
export const prod: Reduction = overAxes(prodOp);

/**
 * The largest element over axes, all by default; of bool, whether any is true. Equal elements share the gradient. The
 * largest of nothing is −∞, and the least number of integers and bool.
 */
export const max: Reduction = extremum('max');

/**
 * The smallest element over axes, all by default; of bool, whether all are true. Equal elements share the gradient. The
 * smallest of nothing is +∞, and the greatest number of integers and bool.
 */
export const min: Reduction = extremum('min');

function extremum(name: 'max' | 'min'): Reduction {
  const op = reduction<Axes>({
    name,
    splits: true,
    infer: reducing(name, dtypes),
    accumulator(dtype) {
      const { type, lowest, highest } = extremes(dtype);
      const better = (a: string, b: string) =>
        dtype === 'bool' ? `${a} ${name === 'max' ? '||' : '&&'} ${b}` : `${name}(${a}, ${b})`;
      return simpleAccumulator(type, name === 'max' ? lowest : highest, better);
    },
    // To the elements that equal it, in equal shares.
    vjp({ inputs: [x], outputs: [y], cotangent, attributes: { axes } }) {
      const hits = x!.equal(keepAxes(y!, x!, axes)).cast('f32');
      const share = cotangent.div(hits.sum(axes));
      return [hits.mul(keepAxes(share, x!, axes))];
    },
  });
  return overAxes(op);
}

/** Whether all elements over axes, all by default, are true (numbers: not 0), as bool. Of nothing all are. */
export function all(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  return min(x.cast('bool'), axes, options);
}

/** Whether any element over axes, all by default, is true (numbers: not 0), as bool. Of nothing none is. */
export function any(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor {
  return max(x.cast('bool'), axes, options);
}

const logSumExpOp = composite<Axes>({
  name: 'logSumExp',
  infer: reducing('logSumExp', floats),
  // The largest element is taken out first, so that exp never overflows.
  decompose([x], { axes }) {
    const scores = x!.cast('f32');
    const shift = shiftOf(scores, axes);
    return [log(exp(scores.sub(keepAxes(shift, scores, axes))).sum(axes)).add(shift)];
  },
  vjp({ inputs: [x], outputs: [y], cotangent, attributes: { axes } }) {
    // Of −∞ only, no element has a share: exp(−∞ − 0), where −∞ − −∞ would be NaN.
    const total = where(y!.greater(Number.NEGATIVE_INFINITY), y!, 0);
    return [exp(x!.sub(keepAxes(total, x!, axes))).mul(keepAxes(cotangent, x!, axes))];
  },
});

/**
 * log Σ e ^ x over axes, the last by default, without overflow. Of nothing and of −∞ only it is −∞, with a gradient of 0;
 * with +∞ it is +∞, and has no gradient there (∞ / ∞).
 */
export const logSumExp: Reduction = overAxes(logSumExpOp, -1);

/**
 * What is taken from f32 scores before exp, so that it does not overflow: the largest along the axes. Where that is
 * infinite (nothing, or −∞ everywhere) it is 0: ∞ − ∞ would be NaN.
 */
export function shiftOf(scores: Tensor, axes: number | readonly number[], options?: ReduceOptions): Tensor {
  const top = max(scores, axes, options);
  return where(finite(top), top, 0);
}

/** Where an element is along axes. */
type IndexReduction = WithOp<(x: Tensor, axes?: number | readonly number[]) => Tensor>;

/**
 * Where the largest element is along an axis, as u32; the first of equal ones. Over several axes (all by default)
 * the place counts row by row through them.
 */
export const argmax: IndexReduction = indexReduction('argmax', 'lowest', '>');

/**
 * Where the smallest element is along an axis, as u32; the first of equal ones. Over several axes (all by default)
 * the place counts row by row through them.
 */
export const argmin: IndexReduction = indexReduction('argmin', 'highest', '<');

/** Finds where the best element is: of equal ones the first, in whatever order parts are merged. */
function indexReduction(name: string, worst: 'lowest' | 'highest', better: '>' | '<'): IndexReduction {
  const op = reduction<Axes>({
    name,
    splits: false,
    infer: reducing(name, numeric, { result: 'u32', needsElements: true }),
    accumulator(dtype) {
      const limits = extremes(dtype);
      return {
        variables: [
          { type: limits.type, initial: limits[worst] },
          { type: 'u32', initial: '0u' },
        ],
        step: ([best, at], x, index) => `if (${x} ${better} ${best}) { ${best} = ${x}; ${at} = ${index}; }`,
        merge: ([best, at], [x, index]) =>
          `if (${x} ${better} ${best} || (${x} == ${best} && ${index} < ${at})) { ${best} = ${x}; ${at} = ${index}; }`,
        result: ([, at]) => at!,
      };
    },
    vjp: zeroGradient('an index has no gradient'),
  });
  return withOp(op, (x, axes) => {
    requireDType(name, requireTensor(name, x).dtype, numeric);
    const list = normalizeAxes(name, axes, x.rank);
    return list.length === 0 ? onDeviceOf(name, zeros(x.shape, 'u32'), [x]) : applyOp(op, [x], { axes: list });
  });
}

/** The attributes of an op over axes, counted from the front; those of a reduction are sorted. */
export type Axes = { readonly axes: readonly number[] };

/** A reduction over axes as a function, with its op. */
export type Reduction = WithOp<(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor>;

/** The function that applies a reduction over axes, by default all, and puts axes of size 1 back where they are kept. */
export function overAxes(op: Op, byDefault?: number): Reduction {
  function reduce(x: Tensor, axes: number | readonly number[] | undefined = byDefault, options: ReduceOptions = {}) {
    const list = normalizeAxes(op.name, axes, requireTensor(op.name, x).rank);
    const result = list.length === 0 ? x : applyOp(op, [x], { axes: list });
    return options.keepDims ? keepAxes(result, x, list) : result;
  }
  return Object.assign(reduce, { op });
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
function sumAccumulator(dtype: DType): Accumulator {
  const add = (a: string, b: string) => `${a} + ${b}`;
  if (!isFloat(dtype)) return simpleAccumulator(dtype, `${dtype}(0)`, add);
  return { ...simpleAccumulator('f32', '0.0f', add), sums: [0] };
}

/**
 * An accumulator that is one variable and one combining expression. Text, since the loop around it is put together at run
 * time: see kernels/loops.ts. The plain forms in kernels/plain.testing.ts are typed.
 */
function simpleAccumulator(type: string, initial: string, combine: (a: string, b: string) => string): Accumulator {
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
function extremes(dtype: DType): { lowest: string; highest: string; type: string } {
  if (dtype === 'i32') return { lowest: 'i32(-2147483647 - 1)', highest: '2147483647i', type: 'i32' };
  if (dtype === 'u32') return { lowest: '0u', highest: '4294967295u', type: 'u32' };
  if (dtype === 'bool') return { lowest: 'false', highest: 'true', type: 'bool' };
  const infinity = (bits: string) => `bitcast<f32>(${bits} + ${HIDDEN_ZERO})`;
  return { lowest: infinity('0xff800000u'), highest: infinity('0x7f800000u'), type: 'f32' };
}
