import type { WithOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { type NormOptions, standardization } from './standardize.js';

/** x / √(mean(x²) + eps) over the last axis, with an optional weight. https://arxiv.org/abs/1910.07467, equation 4. */
export const rmsNorm: WithOp<(x: Tensor, options?: Omit<NormOptions, 'bias'>) => Tensor> = standardization(
  'rmsNorm',
  false,
);
