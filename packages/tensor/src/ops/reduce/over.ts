import { DTypeError, ShapeError } from '../../errors.js';
import { type DType, requireDType } from '../../graph/dtype.js';
import type { Attributes, Type } from '../../graph/node.js';
import { normalizeAxes, showShape, sizeOf } from '../../graph/shape.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define.js';
import type { Accumulator, ReduceOp } from '../op.js';

/** The type of a reduction: the axes are gone. */
export function reducedType(x: Type, attributes: Attributes, dtype: DType = x.dtype): Type {
  const axes = attributes.axes as readonly number[];
  return { shape: x.shape.filter((_, i) => !axes.includes(i)), dtype };
}

/** Applies a reduction over axes, and puts axes of size 1 back where they are kept. */
export function reduceOver(
  op: ReduceOp,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions = {},
): Tensor {
  const list = normalizeAxes(op.name, axes, requireTensor(op.name, x).rank);
  const result = list.length === 0 ? x : applyOp(op, [x], { axes: list });
  return options.keepDims ? keepAxes(result, x, list) : result;
}

/** A reduced tensor with its axes back at size 1, to broadcast against what it was reduced from. */
export function keepAxes(reduced: Tensor, from: Tensor, axes: readonly number[]): Tensor {
  return reduced.reshape(from.shape.map((n, i) => (axes.includes(i) ? 1 : n)));
}

/** Refuses dtypes, and reductions of nothing where nothing has no value. */
export function requireReducible(
  name: string,
  x: Type,
  attributes: Attributes,
  dtypes: readonly DType[],
  ofNothing: boolean,
): void {
  requireDType(name, x.dtype, dtypes);
  const axes = attributes.axes as readonly number[];
  if (!ofNothing && sizeOf(axes.map((axis) => x.shape[axis]!)) === 0) {
    throw new ShapeError(
      name,
      `there is no ${name} of no elements: ${showShape(x.shape)} over axes [${axes.join(', ')}].`,
    );
  }
}

/** An accumulator that is one variable and one combining expression. */
export function simpleAccumulator(
  type: string,
  initial: string,
  combine: (a: string, b: string) => string,
): Accumulator {
  return {
    variables: [{ type, initial }],
    step: ([a]: readonly string[], x: string) => `${a} = ${combine(a!, x)};`,
    merge: ([a]: readonly string[], [b]: readonly string[]) => `${a} = ${combine(a!, b!)};`,
    result: ([a]: readonly string[]) => a!,
  };
}

/** The extreme values of a dtype in WGSL, from which a maximum or minimum starts. */
export function extremes(name: string, dtype: DType): { lowest: string; highest: string; type: string } {
  if (dtype === 'f32' || dtype === 'f16') {
    return { lowest: '-0x1.fffffep+127f', highest: '0x1.fffffep+127f', type: 'f32' };
  }
  if (dtype === 'i32') return { lowest: 'i32(-2147483647 - 1)', highest: '2147483647i', type: 'i32' };
  if (dtype === 'u32') return { lowest: '0u', highest: '4294967295u', type: 'u32' };
  throw new DTypeError(name, `bool has no order. Use cast('u32') first.`);
}
