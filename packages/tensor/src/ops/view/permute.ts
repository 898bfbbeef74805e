import { ShapeError } from '../../errors.js';
import { listedAxes, normalizeAxis } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import type { Axes } from '../reduce/over.js';

const op = pointwise<Axes>({
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
export const permute: WithOp<(x: Tensor, axes: readonly number[]) => Tensor> = withOp(op, (x, axes) => {
  const { rank } = requireTensor('permute', x);
  const order = listedAxes('permute', axes, rank);
  if (order.length !== rank || new Set(order).size !== rank) {
    throw new ShapeError('permute', `axes [${axes.join(', ')}] must name each of the ${rank} axes once.`);
  }
  return order.every((axis, i) => axis === i) ? x : applyOp(op, [x], { axes: order });
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
