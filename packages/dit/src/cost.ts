// The cost of a forward pass, from the config alone: no graph, no device.
import { attentionCost, type ForwardCost, linearCost, sumCosts } from '@paris/model/transformer';
import type { DiTConfig } from './config.js';

/** How much goes through the network at once. */
export interface ForwardCostOptions {
  /** Pictures. Default 1. */
  readonly batch?: number;
  /** Words that blocks attend to. Default: CLIP's 77 for embeddings, else the config's `maxTokens`. */
  readonly textTokens?: number;
}

/**
 * The cost of one forward of `ditForward`. Elementwise work, norms and embeddings' look-ups are not counted.
 * @example
 * 2 * ditCost(ditPresets['dit-xl-2']).macs; // 289 GFLOP for one picture and 77 words
 */
export function ditCost(config: DiTConfig, options: ForwardCostOptions = {}): ForwardCost {
  const { inputSize, channels, patchSize, hiddenSize: d, depth, heads, mlpRatio, condition, modulation } = config;
  const { batch: B = 1, textTokens: L = condition.kind === 'tokens' ? condition.maxTokens : 77 } = options;
  const N = (inputSize / patchSize) ** 2;
  const [patch, hidden] = [patchSize * patchSize * channels, d * mlpRatio];
  const words = condition.kind === 'tokens' || condition.kind === 'embeddings';

  const block = [
    ...(modulation === 'zero' ? [linearCost(1, d, 6 * d)] : []),
    ...[linearCost(N, d, 3 * d), attentionCost(N, N, d, heads), linearCost(N, d, d)],
    ...(words
      ? [linearCost(N, d, d), linearCost(L, d, 2 * d), attentionCost(N, L, d, heads), linearCost(N, d, d)]
      : []),
    ...[linearCost(N, d, hidden), linearCost(N, hidden, d)],
  ];
  const rest = [
    ...[linearCost(N, patch, d), linearCost(1, 256, d), linearCost(1, d, d)],
    modulation === 'zero' ? linearCost(1, d, 2 * d) : linearCost(1, d, 6 * d), // the final layer's, or all blocks'
    ...(words ? [linearCost(L, condition.width, d)] : []),
    ...(words && config.textProjection === 'mlp' ? [linearCost(L, d, d)] : []),
    linearCost(N, d, patch * (config.learnSigma ? 2 : 1)),
  ];
  return sumCosts([sumCosts(block, B * depth), sumCosts(rest, B)]);
}
