import { numeric } from '../../graph/dtype.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { reduction } from '../define.js';
import type { ReduceOp, WithOp } from '../op.js';
import { keepAxes, reducedType, reduceOver, requireReducible, simpleAccumulator } from './over.js';

const op = reduction({
  name: 'sum',
  splits: true,
  infer([x], attributes) {
    requireReducible('sum', x!, attributes, numeric, true);
    return [reducedType(x!, attributes)];
  },
  accumulator: (dtype) =>
    dtype === 'i32' || dtype === 'u32'
      ? simpleAccumulator(dtype, `${dtype}(0)`, (a, b) => `${a} + ${b}`)
      : simpleAccumulator('f32', '0.0f', (a, b) => `${a} + ${b}`),
  vjp: ({ inputs, cotangent, attributes }) => [
    keepAxes(cotangent, inputs[0]!, attributes.axes as number[]).expand(inputs[0]!.shape),
  ],
});

/** The sum over axes, all by default. f16 is added up in f32. The order of the additions is fixed. */
export const sum: WithOp<(x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) => Tensor, ReduceOp> =
  Object.assign(
    (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor => reduceOver(op, x, axes, options),
    { op },
  );
