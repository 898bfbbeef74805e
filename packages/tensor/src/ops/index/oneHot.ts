import { DTypeError, ShapeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, type WithOp, withOp, zeroGradient } from '../define.js';

const op = pointwise({
  name: 'oneHot',
  cost: 1,
  infer([ids], { depth }) {
    if (ids!.dtype !== 'u32') throw new DTypeError('oneHot', `ids have dtype ${ids!.dtype}, not u32. Use cast('u32').`);
    if (!Number.isInteger(depth) || (depth as number) < 1) {
      throw new ShapeError('oneHot', `the depth must be a whole number from 1 up, got ${depth}.`);
    }
    return [{ shape: [...ids!.shape, depth as number], dtype: 'f32' }];
  },
  emit({ read, position, inputs }) {
    const c = position.coordinates;
    const id = read(0, position.moved(inputs[0]!.shape, c.slice(0, -1)));
    return `select(0.0f, 1.0f, ${id} == ${c[c.length - 1]!})`;
  },
  vjp: zeroGradient('ids have no gradient'),
});

/** ids u32 […] → f32 […, depth]: 1 at each id, 0 elsewhere; an id from depth up gives zeros. */
export const oneHot: WithOp<(ids: Tensor, depth: number) => Tensor> = withOp(op, (ids, depth) =>
  applyOp(op, [ids], { depth }),
);
