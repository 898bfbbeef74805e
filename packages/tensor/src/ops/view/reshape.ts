import { ShapeError } from '../../errors.js';
import { checkShape, type Shape, sameShape, showShape, sizeOf } from '../../graph/shape.js';
import { reshapeStrided } from '../../graph/strided.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';

const op = pointwise<{ readonly shape: Shape }>({
  name: 'reshape',
  cost: 0,
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  emit: ({ read, position, inputs }) => read(0, position.reshaped(inputs[0]!.shape)),
  strided: (window, { output }) => reshapeStrided(window, output.shape),
  relate: (relation) => relation,
  vjp: ({ inputs, cotangent }) => [cotangent.reshape(inputs[0]!.shape)],
});

/** The same elements in row-major order under another shape of the same size; one size may be −1. */
export const reshape: WithOp<(x: Tensor, shape: Shape) => Tensor> = withOp(op, (x, shape) => {
  const resolved = resolve(requireTensor('reshape', x).shape, shape);
  return sameShape(x.shape, resolved) ? x : applyOp(op, [x], { shape: resolved });
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
