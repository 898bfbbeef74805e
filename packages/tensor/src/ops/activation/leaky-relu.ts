import { floats } from '../../graph/dtype.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { binary } from '../define/elementwise.js';
import { where } from '../where.js';

const ofBoth = binary({
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
export const leakyRelu: WithOp<(x: Tensor, slope?: number) => Tensor> = withOp(ofBoth.op, (x, slope = 0.01) =>
  ofBoth(x, slope),
);
