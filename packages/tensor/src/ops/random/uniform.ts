import { checkShape, type Shape } from '../../graph/shape.js';
import type { Key } from '../../random/key.js';
import { uniformAt } from '../../random/shader.js';
import { TensorKey } from '../../random/tensorKey.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, zeroGradient } from '../define.js';

const op = pointwise({
  name: 'uniform',
  cost: 50,
  infer: (_, { shape }) => [{ shape: shape as Shape, dtype: 'f32' }],
  emit({ read, position, inputs, call, name }) {
    const at = (i: number) => read(0, position.moved(inputs[0]!.shape, [`${i}u`]));
    return call(uniformAt, name(`vec2u(${at(0)}, ${at(1)})`), position.linear);
  },
  vjp: zeroGradient('random numbers do not depend on a float'),
});

/** A tensor of numbers uniform in [0, 1), multiples of 2⁻²⁴; the same on every device. Philox 4×32-10; a function of key and position alone. */
export const uniform = Object.assign(
  (key: Key | TensorKey, shape: Shape): Tensor => {
    checkShape('uniform', shape);
    return applyOp(op, [TensorKey.of(key).words], { shape: [...shape] });
  },
  { op },
);
