import { numeric } from '../../graph/dtype.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { reduction } from '../define.js';
import { extremes, reducedType, reduceOver, requireReducible, simpleAccumulator } from './over.js';
import { shareOfTies } from './ties.js';

const op = reduction({
  name: 'max',
  splits: true,
  infer([x], attributes) {
    requireReducible('max', x!, attributes, numeric, false);
    return [reducedType(x!, attributes)];
  },
  accumulator(dtype) {
    const { type, lowest } = extremes('max', dtype);
    return simpleAccumulator(type, lowest, (a, b) => `max(${a}, ${b})`);
  },
  vjp: ({ inputs, outputs, cotangent, attributes }) => [
    shareOfTies(inputs[0]!, outputs[0]!, cotangent, attributes.axes as number[]),
  ],
});

/** The largest element over axes, all by default. Equal elements share the gradient. */
export const max = Object.assign(
  (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor => reduceOver(op, x, axes, options),
  { op },
);
