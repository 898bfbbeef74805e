import { checkShape, type Shape } from '../../graph/shape.js';
import type { Key } from '../../random/key.js';
import { normalAt } from '../../random/shader.js';
import { TensorKey } from '../../random/tensorKey.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, zeroGradient } from '../define.js';

const op = pointwise({
  name: 'normal',
  cost: 100,
  infer: (_, { shape }) => [{ shape: shape as Shape, dtype: 'f32' }],
  emit({ read, position, inputs, call, name }) {
    const at = (i: number) => read(0, position.moved(inputs[0]!.shape, [`${i}u`]));
    return call(normalAt, name(`vec2u(${at(0)}, ${at(1)})`), position.linear);
  },
  vjp: zeroGradient('random numbers do not depend on a float'),
});

/** A tensor of standard normal numbers, equal on every device to 1e-6. Philox 4×32-10; a function of key and position alone. */
export const normal = Object.assign(
  (key: Key | TensorKey, shape: Shape): Tensor => {
    checkShape('normal', shape);
    return applyOp(op, [TensorKey.of(key).words], { shape: [...shape] });
  },
  { op },
);
