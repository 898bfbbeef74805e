import { reduction } from '../define/kinds.js';
import { extremumAccumulator, extremumGradient, inferExtremum } from './extremum.js';
import { type Axes, overAxes, type Reduction } from './over.js';

const op = reduction<Axes>({
  name: 'min',
  splits: true,
  infer: (inputs, attributes) => inferExtremum('min', inputs, attributes),
  accumulator: (dtype) => extremumAccumulator('min', dtype),
  vjp: (context) => extremumGradient(context),
});

/**
 * The smallest element over axes, all by default; of bool, whether all are true. Equal elements share the gradient. The
 * smallest of nothing is +∞, and the greatest number of integers and bool.
 */
export const min: Reduction = overAxes(op);
