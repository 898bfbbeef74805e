// Networks that return a variance in addition to their prediction, as facebookresearch/DiT's and PixArt-α's do.
import type { Tensor } from '@paris/tensor';
import type { Expert } from './expert.js';

/**
 * The expert without the variance that it learned: of its [B, 2C, H, W] the first C channels, the prediction
 * (https://arxiv.org/abs/2102.09672, eq. 15 interpolates a log-variance by the rest, which an ODE sampler does not ask
 * for).
 */
export function dropLearnedSigma<P>(expert: Expert<P>): Expert<P> {
  return {
    ...expert,
    apply: (params, input): Tensor => {
      const both = expert.apply(params, input); // [B, 2C, H, W]
      return both.slice([null, [0, both.shape[1]! / 2], null, null]);
    },
  };
}
