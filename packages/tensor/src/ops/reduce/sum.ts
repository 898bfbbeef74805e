import { numeric } from '../../graph/dtype.js';
import { reduction } from '../define/kinds.js';
import { type Axes, keepAxes, overAxes, type Reduction, reducing, sumAccumulator } from './over.js';

const op = reduction<Axes>({
  name: 'sum',
  splits: true,
  infer: reducing('sum', numeric),
  accumulator: sumAccumulator,
  vjp: ({ inputs: [x], cotangent, attributes }) => [keepAxes(cotangent, x!, attributes.axes).expand(x!.shape)],
});

/**
 * The sum over axes, all by default. f16 is summed in f32. The order of the additions is fixed: in blocks of 64, 64² and
 * 64³ elements. So a sum of n elements is off by at most (192 + n / 2¹⁸) · 2⁻²⁴ of the sum of their absolute values, and
 * sums of the same elements over other axes agree within twice that. Integers wrap around. The sum of nothing is 0.
 */
export const sum: Reduction = overAxes(op);
