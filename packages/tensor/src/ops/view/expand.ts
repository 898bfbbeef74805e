import { ShapeError } from '../../errors.js';
import { broadcastsRows } from '../../graph/position.js';
import { checkShape, type Shape, sameShape, showShape, sizeOf } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';

const op = pointwise<{ readonly shape: Shape }>({
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
export const expand: WithOp<(x: Tensor, shape: Shape) => Tensor> = withOp(op, (x, shape) => {
  const from = requireTensor('expand', x).shape;
  checkShape('expand', shape);
  const lead = shape.length - from.length;
  if (lead < 0 || from.some((n, i) => n !== 1 && n !== shape[lead + i])) {
    const both = `${showShape(from)} does not stretch to ${showShape(shape)}`;
    throw new ShapeError('expand', `${both}. Only axes of size 1 do.`);
  }
  return sameShape(from, shape) ? x : applyOp(op, [x], { shape: [...shape] });
});
