import type { Tensor, TreeOf } from '@paris/tensor';
import type { Network } from './architecture.js';
import type { NoisyInput } from './expert.js';

/**
 * A network that predicts from noisy latents which cluster they come from: p(k | x_t, t), eq. 5 of Decentralized Diffusion
 * Models (https://arxiv.org/abs/2501.05450). It already accounts for the clusters' sizes: do not multiply by them.
 */
export interface Router<P = TreeOf<Tensor>> extends Network<P> {
  readonly clusters: number;
  /** Logits of p(k | x_t, t), [B, K]. */
  logits(params: P, input: NoisyInput): Tensor;
}
