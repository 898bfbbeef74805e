import { numeric } from '../../graph/dtype.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { reduction } from '../define.js';
import { extremes, reducedType, reduceOver, requireReducible, simpleAccumulator } from './over.js';
import { shareOfTies } from './ties.js';

const op = reduction({
  name: 'min',
  splits: true,
  infer([x], attributes) {
    requireReducible('min', x!, attributes, numeric, false);
    return [reducedType(x!, attributes)];
  },
  accumulator(dtype) {
    const { type, highest } = extremes('min', dtype);
    return simpleAccumulator(type, highest, (a, b) => `min(${a}, ${b})`);
  },
  vjp: ({ inputs, outputs, cotangent, attributes }) => [
    shareOfTies(inputs[0]!, outputs[0]!, cotangent, attributes.axes as number[]),
  ],
});

/** The smallest element over axes, all by default. Equal elements share the gradient. */
export const min = Object.assign(
  (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor => reduceOver(op, x, axes, options),
  { op },
);
