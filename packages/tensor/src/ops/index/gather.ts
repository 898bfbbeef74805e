import { DTypeError, ShapeError } from '../../errors.js';
import { zeroOf } from '../../graph/dtype.js';
import { normalizeAxis, showShape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { arange } from '../creation/arange.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import { where } from '../where.js';

const op = pointwise<{ readonly axis: number }>({
  name: 'gather',
  cost: 1,
  infer([x, indices], { axis }) {
    if (indices!.dtype !== 'u32')
      throw new DTypeError('gather', `indices have dtype ${indices!.dtype}, not u32. Use cast('u32').`);
    const [from, to] = [x!.shape, indices!.shape];
    if (from.length !== to.length || from.some((n, i) => i !== axis && n !== to[i])) {
      const got = `x is ${showShape(from)} and indices ${showShape(to)}`;
      throw new ShapeError('gather', `${got}: they may differ only along axis ${axis}. Expand one.`);
    }
    return [{ shape: to, dtype: x!.dtype }];
  },
  indices: ([x], { axis }) => ({ input: 1, below: x!.shape[axis]! }),
  // An index beyond the axis reads zero, since a shader cannot throw: so the gradient, which drops it, is exact.
  emit({ read, position, inputs, output, attributes: { axis }, name }) {
    const { shape } = inputs[0]!;
    const count = shape[axis]!;
    if (count === 0) return zeroOf(output.dtype);
    const index = read(1);
    const from = [...position.coordinates];
    from[axis] = name(`min(${index}, ${count - 1}u)`);
    return `select(${zeroOf(output.dtype)}, ${read(0, position.moved(shape, from))}, ${index} < ${count}u)`;
  },
  vjp: ({ inputs: [x, indices], cotangent, attributes: { axis } }) => [
    addedAlong(cotangent, indices!, axis, x!.shape[axis]!),
    undefined,
  ],
});

/** Each of `count` places along an axis looks for what was read from it: no atomics, so the sum is always the same. */
function addedAlong(x: Tensor, indices: Tensor, axis: number, count: number): Tensor {
  const inRows = (t: Tensor) => {
    const last = t.transpose(axis, -1);
    const [lead, m] = [last.shape.slice(0, -1), last.shape.at(-1)!];
    return last.reshape([...lead, 1, m]).expand([...lead, count, m]);
  };
  const places = arange(count, 'u32').reshape([count, 1]);
  const hits = inRows(indices).equal(places);
  return where(hits, inRows(x), 0).sum(-1).transpose(axis, -1);
}

/**
 * The elements of x at `indices` (u32) along an axis: result[i][j] = x[indices[i][j]][j] for axis 0 of two, as
 * torch.gather and numpy's take_along_axis. Shapes agree in all other axes. An index beyond the axis gives 0
 * and gets no gradient; under `device.debug` it is an IndexError. The gradient looks at every index for every element of
 * the axis: n · m steps per row.
 * @throws DTypeError if the indices are not u32; ShapeError if the shapes differ in another axis
 */
export const gather: WithOp<(x: Tensor, indices: Tensor, axis: number) => Tensor> = withOp(op, (x, indices, axis) =>
  applyOp(op, [x, indices], { axis: normalizeAxis('gather', axis, requireTensor('gather', x).rank) }),
);
