// What a forward costs, from the config alone: no graph, no device.
import type { DiTConfig } from './config.js';

/** What one forward of a DiT computes and writes. */
export interface ForwardCost {
  /** Multiply-accumulates of matrix products and attention; a FLOP count is twice this. */
  readonly macs: number;
  /** Numbers that matrix products and attention write: what a training step would keep without rematerialisation. */
  readonly activations: number;
}

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
    ...(modulation === 'zero' ? [linear(1, d, 6 * d)] : []),
    ...[linear(N, d, 3 * d), attention(N, N, d, heads), linear(N, d, d)],
    ...(words ? [linear(N, d, d), linear(L, d, 2 * d), attention(N, L, d, heads), linear(N, d, d)] : []),
    ...[linear(N, d, hidden), linear(N, hidden, d)],
  ];
  const rest = [
    ...[linear(N, patch, d), linear(1, 256, d), linear(1, d, d)],
    modulation === 'zero' ? linear(1, d, 2 * d) : linear(1, d, 6 * d), // the final layer's, or all blocks'
    ...(words ? [linear(L, condition.width, d)] : []),
    ...(words && config.textProjection === 'mlp' ? [linear(L, d, d)] : []),
    linear(N, d, patch * (config.learnSigma ? 2 : 1)),
  ];
  return sum([sum(block, B * depth), sum(rest, B)]);
}

/** Rows of `inputs` numbers to rows of `outputs`. */
function linear(rows: number, inputs: number, outputs: number): ForwardCost {
  return { macs: rows * inputs * outputs, activations: rows * outputs };
}

/** Scores and their product with the values; the softmax's denominators are kept, the scores are not. */
function attention(queries: number, keys: number, d: number, heads: number): ForwardCost {
  return { macs: 2 * queries * keys * d, activations: queries * (d + heads) };
}

function sum(costs: readonly ForwardCost[], times = 1): ForwardCost {
  const total = (of: keyof ForwardCost) => times * costs.reduce((all, cost) => all + cost[of], 0);
  return { macs: total('macs'), activations: total('activations') };
}
