import { numeric } from '../../graph/dtype.js';
import type { ReduceOptions, Tensor } from '../../tensor.js';
import { reduction } from '../define.js';
import type { ReduceOp } from '../op.js';
import { extremes, keepAxes, reducedType, reduceOver, requireReducible, simpleAccumulator } from './over.js';

/** The largest or smallest element over axes, as a function with its op. */
export interface Extremum {
  (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions): Tensor;
  readonly op: ReduceOp;
}

export function extremum(name: 'max' | 'min'): Extremum {
  const op = reduction({
    name,
    splits: true,
    infer([x], attributes) {
      requireReducible(name, x!, attributes, numeric, false);
      return [reducedType(x!, attributes)];
    },
    accumulator(dtype) {
      const { type, lowest, highest } = extremes(name, dtype);
      return simpleAccumulator(type, name === 'max' ? lowest : highest, (a, b) => `${name}(${a}, ${b})`);
    },
    // To the elements that equal it, in equal shares.
    vjp({ inputs, outputs, cotangent, attributes }) {
      const x = inputs[0]!;
      const axes = attributes.axes as number[];
      const hits = x.equal(keepAxes(outputs[0]!, x, axes)).cast('f32');
      const share = cotangent.div(hits.sum(axes));
      return [hits.mul(keepAxes(share, x, axes))];
    },
  });
  const fn = (x: Tensor, axes?: number | readonly number[], options?: ReduceOptions) =>
    reduceOver(op, x, axes, options);
  return Object.assign(fn, { op });
}
