import { numeric } from '../../graph/dtype.js';
import { reduction } from '../define/define.js';
import { type Axes, keepAxes, overAxes, type Reduction, reducing, simpleAccumulator } from './over.js';

const op = reduction<Axes>({
  name: 'sum',
  splits: true,
  infer: reducing('sum', numeric),
  accumulator: (dtype) =>
    dtype === 'i32' || dtype === 'u32'
      ? simpleAccumulator(dtype, `${dtype}(0)`, (a, b) => `${a} + ${b}`)
      : simpleAccumulator('f32', '0.0f', (a, b) => `${a} + ${b}`),
  vjp: ({ inputs: [x], cotangent, attributes }) => [keepAxes(cotangent, x!, attributes.axes).expand(x!.shape)],
});

/** The sum over axes, all by default. f16 is added up in f32. The order of the additions is fixed. */
export const sum: Reduction = overAxes(op);
