// What a forward costs, from the config alone: no graph, no device.
import { attentionCost, type ForwardCost, linearCost, sumCosts } from '@paris/model/transformer';
import type { RouterConfig } from './config.js';

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
  const { condition } = config;
  const text = condition && 'width' in condition ? [linearCost(1, condition.width, d)] : [];
  const block = [
    linearCost(1, d, 6 * d),
    ...[linearCost(N, d, 3 * d), attentionCost(N, N, d, heads), linearCost(N, d, d)],
    ...[linearCost(N, d, hidden), linearCost(N, hidden, d)],
  ];
  const rest = [
    ...[linearCost(patches, patchSize * patchSize * channels, d), linearCost(1, 256, d), linearCost(1, d, d)],
    ...[linearCost(1, d, d), linearCost(1, d, clusters)],
    ...text,
  ];
  return sumCosts([sumCosts(block, batch * depth), sumCosts(rest, batch)]);
}
