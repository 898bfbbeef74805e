import { hostAtan, hostCos, hostExp, hostSin } from '@paris/tensor/host';
import type { NoisePath } from './path.js';

/**
 * The variance-preserving cosine path, α = cos(πt/2), σ = sin(πt/2): the continuous form, without the offset of Nichol
 * and Dhariwal (arXiv 2102.09672 eq. 17), as in arXiv 2202.00512 §2.
 */
export const cosinePath: NoisePath = {
  name: 'cosine',
  alpha: (t) => (t === 1 ? 0 : hostCos((Math.PI / 2) * t)), // cos(π/2) rounds to 6e-17, not 0
  sigma: (t) => hostSin((Math.PI / 2) * t),
  alphaPrime: (t) => (-Math.PI / 2) * hostSin((Math.PI / 2) * t),
  sigmaPrime: (t) => (t === 1 ? 0 : (Math.PI / 2) * hostCos((Math.PI / 2) * t)),
  // tan(πt/2) = σ/α = e^(−l/2)
  timeAtLogSnr: (l) => (2 / Math.PI) * hostAtan(hostExp(-l / 2)),
};
