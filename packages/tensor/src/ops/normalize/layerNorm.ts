import type { Tensor } from '../../tensor.js';
import { applyOp, type WithOp, withOp } from '../define.js';
import { affine, type NormOptions, standardization } from './standardize.js';

const op = standardization('layerNorm', true);

/**
 * (x − mean) / √(variance + eps) over the last axis, with optional weight and bias. The variance is the mean of
 * squares. https://arxiv.org/abs/1607.06450
 */
export const layerNorm: WithOp<(x: Tensor, options?: NormOptions) => Tensor> = withOp(op, (x, options = {}) =>
  affine('layerNorm', applyOp(op, [x], { eps: options.eps ?? 1e-5 }), -1, options),
);
