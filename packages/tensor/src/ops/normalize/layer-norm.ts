import type { WithOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { type NormOptions, standardization } from './standardize.js';

/**
 * (x − mean) / √(variance + eps) over the last axis, with optional weight and bias. The variance is the mean of
 * squares. https://arxiv.org/abs/1607.06450
 */
export const layerNorm: WithOp<(x: Tensor, options?: NormOptions) => Tensor> = standardization('layerNorm', true);
