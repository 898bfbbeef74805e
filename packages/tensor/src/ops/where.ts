import { DTypeError } from '../errors.js';
import { promote } from '../graph/dtype.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { scalar } from './creation/constant.js';
import { applyOp, broadcast, pointwise, requireTensor, type WithOp, withOp } from './define/op.js';

const op = pointwise({
  name: 'where',
  cost: 1,
  infer([condition, a, b]) {
    if (condition!.dtype !== 'bool') {
      throw new DTypeError('where', `the condition has dtype ${condition!.dtype}, not bool. Compare it first.`);
    }
    return [{ shape: condition!.shape, dtype: promote('where', a!.dtype, b!.dtype) }];
  },
  emit: ({ read }) => `select(${read(2)}, ${read(1)}, ${read(0)})`,
  relate: (relation) => relation,
  vjp: ({ inputs, cotangent }) => [undefined, where(inputs[0]!, cotangent, 0), where(inputs[0]!, 0, cotangent)],
});

/** a where the condition holds, b elsewhere, with broadcasting. */
export const where: WithOp<(condition: Tensor, a: TensorLike, b: TensorLike) => Tensor> = withOp(
  op,
  (condition, a, b) => {
    const [x, y] = broadcast('where', typeof a === 'number' && typeof b === 'number' ? scalar(a) : a, b);
    const [flags, first, second] = broadcast('where', requireTensor('where', condition), x!, y!);
    return applyOp(op, [flags!, first!, second!]);
  },
);

/** x bounded to [low, high]. The gradient passes where x lies inside; at a bound half of it does. */
export function clamp(x: Tensor, low: TensorLike, high: TensorLike): Tensor {
  return x.maximum(low).minimum(high);
}
