import { normalizeAxes } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import type { Axes } from '../reduce/over.js';

const op = pointwise<Axes>({
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
export const flip: WithOp<(x: Tensor, axes: number | readonly number[]) => Tensor> = withOp(op, (x, axes) => {
  const list = normalizeAxes('flip', axes, requireTensor('flip', x).rank).filter((axis) => x.shape[axis]! > 1);
  return list.length === 0 ? x : applyOp(op, [x], { axes: list });
});
