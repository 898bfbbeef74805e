import type { Tensor } from '../tensor.js';
import { requireNumbers, share } from './numbers.js';
import { packTree, requireSameForm, unpackTree } from './optimizer.js';

/**
 * The exponential moving average of parameters after one more step: a + (1 − decay) (p − a). Polyak and Juditsky,
 * "Acceleration of stochastic approximation by averaging", 1992; with this weighting as diffusion models use it, Ho et
 * al., https://arxiv.org/abs/2006.11239, appendix B. Begin with the parameters themselves.
 * @param decay - a number, or an f32 [] tensor where it changes from step to step
 * @throws ValueError if the trees differ, or the decay is a number outside [0, 1].
 */
export function ema<P>(average: P, params: P, decay: number | Tensor): P {
  requireSameForm(average, params);
  if (typeof decay === 'number') requireNumbers('ema', { decay }, share);
  const old = packTree(average);
  const rest = typeof decay === 'number' ? 1 - decay : decay.rsub(1);
  return unpackTree(old.add(packTree(params).sub(old).mul(rest)), average);
}
