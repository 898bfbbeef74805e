import type { TgpuFn } from 'typegpu';
import type { DType } from '../../graph/dtype.js';
import { checkShape, type Shape } from '../../graph/shape.js';
import type { Key } from '../../random/key.js';
import { TensorKey } from '../../random/tensorKey.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, zeroGradient } from '../define.js';
import type { PointwiseOp } from '../op.js';
import { keyOf } from './derivation.js';

/** A tensor of random numbers: a function of key and position alone, drawn by Philox 4×32-10. */
export interface Draw {
  (key: Key | TensorKey, shape: Shape): Tensor;
  readonly op: PointwiseOp;
}

/** A draw whose element i is `at(key, i)`. */
export function draw(name: string, dtype: DType, cost: number, at: TgpuFn): Draw {
  const op = pointwise({
    name,
    cost,
    infer: (_, { shape }) => [{ shape: shape as Shape, dtype }],
    emit: (context) => context.call(at, keyOf(context), context.position.linear),
    vjp: zeroGradient('random numbers do not depend on a float'),
  });
  const fn = (key: Key | TensorKey, shape: Shape) => {
    checkShape(name, shape);
    return applyOp(op, [TensorKey.of(key).words], { shape: [...shape] });
  };
  return Object.assign(fn, { op });
}
