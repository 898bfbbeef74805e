import type { Tensor } from '../../tensor.js';
import { applyOp, type WithOp, withOp } from '../define.js';
import { affine, type NormOptions, standardization } from './standardize.js';

const op = standardization('rmsNorm', false);

/** x / √(mean(x²) + eps) over the last axis, with an optional weight. https://arxiv.org/abs/1910.07467, equation 4. */
export const rmsNorm: WithOp<(x: Tensor, options?: Omit<NormOptions, 'bias'>) => Tensor> = withOp(
  op,
  (x, options = {}) => affine('rmsNorm', applyOp(op, [x], { eps: options.eps ?? 1e-5 }), -1, options),
);
