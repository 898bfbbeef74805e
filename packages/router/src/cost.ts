// What a forward costs, from the config alone: no graph, no device.
import type { RouterConfig } from './config.js';

/** What one forward of a router computes and writes. */
export interface ForwardCost {
  /** Multiply-accumulates of matrix products and attention; a FLOP count is twice this. */
  readonly macs: number;
  /** Numbers that matrix products and attention write: what a training step would keep without rematerialisation. */
  readonly activations: number;
}

/**
 * The cost of one forward of `routerForward`. Elementwise work and norms are not counted.
 * @example
 * 2 * routerCost(routerPresets['router-b-2']).macs; // 46 GFLOP for one picture
 */
export function routerCost(config: RouterConfig, { batch = 1 }: { readonly batch?: number } = {}): ForwardCost {
  const { inputSize, channels, patchSize, hiddenSize: d, depth, heads, mlpRatio, clusters } = config;
  const patches = (inputSize / patchSize) ** 2;
  const N = patches + 1; // the class token
  const hidden = d * mlpRatio;
  const block = {
    macs: 6 * d * d + N * (4 * d * d + 2 * d * hidden) + 2 * N * N * d,
    activations: 6 * d + N * (3 * d + (d + heads) + d + hidden + d),
  };
  const rest = {
    macs: patches * patchSize * patchSize * channels * d + 256 * d + d * d + (d * d + d * clusters),
    activations: patches * d + 2 * d + (d + clusters),
  };
  return {
    macs: batch * (depth * block.macs + rest.macs),
    activations: batch * (depth * block.activations + rest.activations),
  };
}
