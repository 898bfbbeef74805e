import { floats } from '../../graph/dtype.js';
import { type AlongAxis, alongAxis } from '../along.js';
import { exp } from '../arithmetic/exp.js';
import { shiftOf } from '../reduce/shift.js';

/**
 * e ^ x / Σ e ^ x along an axis, the last by default. Where x is −∞ it is 0. A row of −∞ only is NaN (0 / 0), as is +∞
 * (∞ / ∞).
 */
export const softmax: AlongAxis = alongAxis({
  name: 'softmax',
  dtypes: floats,
  decompose([x], { axis }) {
    const scores = x!.cast('f32');
    const weights = exp(scores.sub(shiftOf(scores, axis, { keepDims: true })));
    return [weights.div(weights.sum(axis, { keepDims: true }))];
  },
  // y · (g − Σ g·y)
  vjp({ outputs: [y], cotangent, attributes: { axis } }) {
    const inner = cotangent.mul(y!).sum(axis, { keepDims: true });
    return [cotangent.sub(inner).mul(y!)];
  },
});
