// Activations with a slope below 0 that is an operand.
import { floats } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/functions.js';
import { binary } from '../define/elementwise.js';
import { type WithOp, withOp } from '../define/op.js';
import { where } from '../where.js';

const eluOf = binary({
  name: 'elu',
  dtypes: floats,
  cost: 8,
  kernel: 'max(a, 0) + b * (exp(min(a, 0)) - 1)',
  vjp({ a, b, cotangent }) {
    const below = exp(a.minimum(0));
    return [cotangent.mul(where(a.greater(0), 1, b.mul(below))), cotangent.mul(below.sub(1))];
  },
});

/**
 * x, or alpha · (e ^ x − 1) below 0, elementwise. https://arxiv.org/abs/1511.07289, equation 16.
 * @param alpha - 1 by default; an operand, so that another does not compile again
 */
export const elu: WithOp<(x: Tensor, alpha?: number) => Tensor> = withOp(eluOf.op, (x, alpha = 1) => eluOf(x, alpha));

const leakyReluOf = binary({
  name: 'leakyRelu',
  dtypes: floats,
  cost: 3,
  kernel: 'max(a, 0) + b * min(a, 0)',
  vjp: ({ a, b, cotangent }) => [cotangent.mul(where(a.greater(0), 1, b)), cotangent.mul(a.minimum(0))],
});

/**
 * x, or slope · x below 0, elementwise. The gradient at 0 is the slope. Maas, Hannun, Ng, "Rectifier nonlinearities improve
 * neural network acoustic models", 2013. @param slope - 0.01 by default; an operand, so that another does not compile again
 */
export const leakyRelu: WithOp<(x: Tensor, slope?: number) => Tensor> = withOp(leakyReluOf.op, (x, slope = 0.01) =>
  leakyReluOf(x, slope),
);
