import { floats } from '../../graph/dtype.js';
import { type AlongAxis, alongAxis } from '../along.js';
import { exp } from '../arithmetic/exp.js';
import { log } from '../arithmetic/log.js';
import { shiftOf } from '../reduce/shift.js';

/**
 * x − log Σ e ^ x along an axis, the last by default. The largest element is taken out first, so that no digits are lost
 * where all elements are large. Where x is −∞ it is −∞; a row of −∞ only is NaN (∞ − ∞), as is +∞.
 */
export const logSoftmax: AlongAxis = alongAxis({
  name: 'logSoftmax',
  dtypes: floats,
  decompose([x], { axis }) {
    const scores = x!.cast('f32');
    const shifted = scores.sub(shiftOf(scores, axis, { keepDims: true }));
    return [shifted.sub(log(exp(shifted).sum(axis, { keepDims: true })))];
  },
  // g − softmax(x) · Σ g
  vjp({ outputs: [y], cotangent, attributes: { axis } }) {
    return [cotangent.sub(exp(y!).mul(cotangent.sum(axis, { keepDims: true })))];
  },
});
