// The views that tensors have as methods, except for parts of one (parts.ts).
import { ShapeError } from '../../errors.js';
import { broadcastsRows } from '../../graph/position.js';
import {
  checkShape,
  listedAxes,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
} from '../../graph/shape.js';
import { reshapeStrided } from '../../graph/strided.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, requireTensor, type WithOp, withOp } from '../define/op.js';
import type { Axes } from '../reduce/reductions.js';

const reshapeOp = pointwise<{ readonly shape: Shape }>({
  name: 'reshape',
  cost: 0,
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  emit: ({ read, position, inputs }) => read(0, position.reshaped(inputs[0]!.shape)),
  strided: (window, { output }) => reshapeStrided(window, output.shape),
  relate: (relation) => relation,
  vjp: ({ inputs, cotangent }) => [cotangent.reshape(inputs[0]!.shape)],
});

/** The same elements in row-major order under another shape of the same size; one size may be −1. */
export const reshape: WithOp<(x: Tensor, shape: Shape) => Tensor> = withOp(reshapeOp, (x, shape) => {
  const resolved = resolve(requireTensor('reshape', x).shape, shape);
  return sameShape(x.shape, resolved) ? x : applyOp(reshapeOp, [x], { shape: resolved });
});

function resolve(from: Shape, to: Shape): number[] {
  const open = to.indexOf(-1);
  const given = to.filter((n) => n !== -1);
  checkShape('reshape', given);
  const known = sizeOf(given);
  const size = sizeOf(from);
  const result = [...to];
  if (open >= 0) {
    if (to.lastIndexOf(-1) !== open || known === 0 || size % known !== 0) {
      throw new ShapeError('reshape', `${showShape(from)} cannot become ${showShape(to)}: −1 has no one value.`);
    }
    result[open] = size / known;
  }
  if (sizeOf(result) !== size) {
    const sizes = `${showShape(from)} has ${size} elements and ${showShape(to)} has ${sizeOf(result)}`;
    throw new ShapeError('reshape', `${sizes}. Give a shape of the same size.`);
  }
  return result;
}

const permuteOp = pointwise<Axes>({
  name: 'permute',
  cost: 0,
  infer: ([x], { axes }) => [{ shape: axes.map((axis) => x!.shape[axis]!), dtype: x!.dtype }],
  emit({ read, position, inputs, attributes: { axes } }) {
    const from = axes.map((_, axis) => position.coordinates[axes.indexOf(axis)]!);
    return read(0, position.moved(inputs[0]!.shape, from));
  },
  strided: (window, { attributes: { axes }, output }) => ({
    shape: output.shape,
    strides: axes.map((axis) => window.strides[axis]!),
    offset: window.offset,
  }),
  vjp: ({ cotangent, attributes: { axes } }) => [cotangent.permute(axes.map((_, axis) => axes.indexOf(axis)))],
});

/** Reorders axes: axis i of the result is axis axes[i] of x. */
export const permute: WithOp<(x: Tensor, axes: readonly number[]) => Tensor> = withOp(permuteOp, (x, axes) => {
  const { rank } = requireTensor('permute', x);
  const order = listedAxes('permute', axes, rank);
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new ShapeError('permute', `axes [${axes.join(', ')}] must name each of the ${rank} axes once.`);
  }
  return order.every((axis, i) => axis === i) ? x : applyOp(permuteOp, [x], { axes: order });
});

/** Swaps two axes, the last two by default. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const axes = x.shape.map((_, i) => i);
  const first = normalizeAxis('transpose', a, x.rank);
  const second = normalizeAxis('transpose', b, x.rank);
  axes[first] = second;
  axes[second] = first;
  return permute(x, axes);
}

const expandOp = pointwise<{ readonly shape: Shape }>({
  name: 'expand',
  cost: 0,
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  emit({ read, position, inputs }) {
    const from = inputs[0]!.shape;
    if (stretchesNothing(from, position.shape)) return read(0, position.reshaped(from));
    const lead = position.shape.length - from.length;
    const row = position.rowOf(from);
    if (row) return read(0, row);
    const stretched = (n: number, i: number) => n === 1 && position.shape[lead + i] !== 1;
    const coordinates = from.map((n, i) => (stretched(n, i) ? '0u' : position.coordinates[lead + i]!));
    return read(0, position.moved(from, coordinates));
  },
  relate(relation, { input, output, length }) {
    if (stretchesNothing(input.shape, output.shape)) return relation;
    return relation === 'element' && broadcastsRows(input.shape, output.shape, length) ? 'row' : 'other';
  },
  strided(window, { output }) {
    const lead = output.shape.length - window.shape.length;
    const strides = output.shape.map((n, i) =>
      i < lead || (window.shape[i - lead] === 1 && n !== 1) ? 0 : window.strides[i - lead]!,
    );
    return { shape: output.shape, strides, offset: window.offset };
  },
  // The one place where broadcasting is undone: sums over the stretched axes.
  vjp({ inputs, cotangent }) {
    const { shape } = inputs[0]!;
    const lead = cotangent.rank - shape.length;
    const axes = cotangent.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
    return [cotangent.sum(axes).reshape(shape)];
  },
});

/**
 * Whether only axes of size 1 come about. A new first axis of size 1 counts as a stretch: it is a batch of 1, whose
 * kernels are those of any other batch.
 */
export function stretchesNothing(from: Shape, to: Shape): boolean {
  return sizeOf(from) === sizeOf(to) && !(to.length > from.length && to[0] === 1);
}

/** Broadcasts to a shape: axes of size 1 stretch, and new axes come in front. */
export const expand: WithOp<(x: Tensor, shape: Shape) => Tensor> = withOp(expandOp, (x, shape) => {
  const from = requireTensor('expand', x).shape;
  checkShape('expand', shape);
  const lead = shape.length - from.length;
  if (lead < 0 || from.some((n, i) => n !== 1 && n !== shape[lead + i])) {
    const both = `${showShape(from)} does not stretch to ${showShape(shape)}`;
    throw new ShapeError('expand', `${both}. Only axes of size 1 do.`);
  }
  return sameShape(from, shape) ? x : applyOp(expandOp, [x], { shape: [...shape] });
});

const flipOp = pointwise<Axes>({
  name: 'flip',
  cost: 0,
  infer: ([x]) => [x!],
  emit({ read, position, attributes: { axes }, output, name }) {
    const from = position.coordinates.map((c, i) => (axes.includes(i) ? name(`${output.shape[i]! - 1}u - ${c}`) : c));
    return read(0, position.moved(output.shape, from));
  },
  vjp: ({ cotangent, attributes: { axes } }) => [cotangent.flip(axes)],
});

/** Reverses the order along axes. */
export const flip: WithOp<(x: Tensor, axes: number | readonly number[]) => Tensor> = withOp(flipOp, (x, axes) => {
  const list = normalizeAxes('flip', axes, requireTensor('flip', x).rank).filter((axis) => x.shape[axis]! > 1);
  return list.length === 0 ? x : applyOp(flipOp, [x], { axes: list });
});
