import { reduction } from '../define/kinds.js';
import { extremumAccumulator, extremumGradient, inferExtremum } from './extremum.js';
import { type Axes, overAxes, type Reduction } from './over.js';

const op = reduction<Axes>({
  name: 'max',
  splits: true,
  infer: (inputs, attributes) => inferExtremum('max', inputs, attributes),
  accumulator: (dtype) => extremumAccumulator('max', dtype),
  vjp: (context) => extremumGradient(context),
});

/**
 * The largest element over axes, all by default; of bool, whether any is true. Equal elements share the gradient. The
 * largest of nothing is −∞, and the least number of integers and bool.
 */
export const max: Reduction = overAxes(op);
