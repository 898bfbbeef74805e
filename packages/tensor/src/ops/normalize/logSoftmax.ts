import { floats } from '../../graph/dtype.js';
import { type AlongAxis, alongAxis } from '../along.js';
import { exp } from '../arithmetic/exp.js';
import { logSumExp } from '../reduce/logSumExp.js';

/** x − log Σ e ^ x along an axis, the last by default. */
export const logSoftmax: AlongAxis = alongAxis({
  name: 'logSoftmax',
  dtypes: floats,
  decompose([x], { axis }) {
    const scores = x!.cast('f32');
    return [scores.sub(logSumExp(scores, axis, { keepDims: true }))];
  },
  // g − softmax(x) · Σ g
  vjp({ outputs: [y], cotangent, attributes: { axis } }) {
    const total = cotangent.sum(axis, { keepDims: true });
    return [cotangent.sub(exp(y!).mul(total))];
  },
});
