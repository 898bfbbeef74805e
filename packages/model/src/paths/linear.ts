import { hostExp } from '@paris/tensor/host';
import type { NoisePath } from './path.js';

/**
 * The straight path, x_t = (1 − t)·x₀ + t·ε; its velocity is ε − x₀. Rectified flow, arXiv 2209.03003; what the
 * flow-matching experts of Paris are trained on (arXiv 2510.03434).
 */
export const linearPath: NoisePath = {
  name: 'linear',
  alpha: (t) => 1 - t,
  sigma: (t) => t,
  alphaPrime: () => -1,
  sigmaPrime: () => 1,
  // (1 − t) / t = e^(l/2)
  timeAtLogSnr: (l) => 1 / (1 + hostExp(l / 2)),
};
