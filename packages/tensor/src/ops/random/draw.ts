import type { DType } from '../../graph/dtype.js';
import type { ShaderFunction } from '../../graph/shader-function.js';
import { checkShape, type Shape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Key } from '../../random/key.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { zeroGradient } from '../define/gradient.js';
import { pointwise } from '../define/kinds.js';
import { keyOf } from './derivation.js';
import { TensorKey } from './tensor-key.js';

/** A tensor of random numbers: a function of key and position alone, drawn by Philox 4×32-10. */
export type Draw = WithOp<(key: Key | TensorKey, shape: Shape) => Tensor>;

/** A draw whose element i is `at(key, i)`. */
export function draw(name: string, dtype: DType, cost: number, at: ShaderFunction): Draw {
  const op = pointwise<{ shape: Shape }>({
    name,
    cost,
    infer: (_, { shape }) => [{ shape, dtype }],
    emit: (context) => context.call(at, keyOf(context), context.position.linear),
    vjp: zeroGradient('random numbers do not depend on a float'),
  });
  return withOp(op, (key, shape) => {
    checkShape(name, shape);
    return applyOp(op, [TensorKey.of(key).words], { shape: [...shape] });
  });
}
