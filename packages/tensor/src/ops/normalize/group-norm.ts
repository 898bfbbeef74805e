import { ShapeError } from '../../errors.js';
import { showShape, sizeOf } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/apply.js';
import { layerNorm } from './layer-norm.js';
import { affine, type NormOptions } from './standardize.js';

/**
 * Normalises each of `groups` groups of neighbouring channels with all their places: x [B, C, …], weight and bias [C].
 * https://arxiv.org/abs/1803.08494, equation 1.
 * @throws ShapeError if C is not a multiple of `groups`
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  const [b, c] = requireTensor('groupNorm', x).shape as readonly [number, number];
  if (x.rank < 2 || c % groups !== 0) {
    throw new ShapeError('groupNorm', `x must be [B, C, …] with C a multiple of ${groups}, got ${showShape(x.shape)}.`);
  }
  const rows = layerNorm(x.reshape([b, groups, sizeOf(x.shape.slice(1)) / groups]), { eps: options.eps });
  return affine('groupNorm', rows.reshape(x.shape), 1, options);
}
