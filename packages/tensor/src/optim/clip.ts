import { sqrt } from '../ops/arithmetic/functions.js';
import type { Tensor } from '../tensor.js';
import { positive, requireNumbers } from './numbers.js';
import { type GradientTransform, packTree } from './optimizer.js';

/**
 * Scales all gradients down together so that their joint norm is at most `maxNorm`; smaller ones stay as they are.
 * Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks",
 * https://arxiv.org/abs/1211.5063, Algorithm 1, with PyTorch's 1e-6 in the quotient.
 * @throws ValueError if `maxNorm` is not a number above 0; ∞ leaves all gradients as they are
 */
export function clipByGlobalNorm(maxNorm: number): GradientTransform {
  requireNumbers('clipByGlobalNorm', { maxNorm }, positive);
  return (gradients) => gradients.mul(normOf(gradients).add(1e-6).rdiv(maxNorm).minimum(1));
}

/** The norm of all tensors of a tree together: f32 []. */
export function globalNorm(tree: unknown): Tensor {
  return normOf(packTree(tree));
}

function normOf(packed: Tensor): Tensor {
  return sqrt(packed.square().sum());
}
