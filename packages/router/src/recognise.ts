// The router that a checkpoint of the released layout holds, by the shapes of its tensors.
import { CheckpointError } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { parseRouterConfig, type RouterConfig } from './config.js';

/**
 * The config of a router from the shape of every tensor by its name. Heads are 64 wide, as in all released sizes.
 * @throws CheckpointError if a tensor that tells a size is missing
 */
export function recogniseRouter(found: ParameterShapes): RouterConfig {
  const need = (name: string, rank: number): readonly number[] => {
    const shape = Object.hasOwn(found, name) ? found[name] : undefined;
    if (shape?.length === rank) return shape;
    throw new CheckpointError('checkpoint', `a router of Paris has a tensor ${name} with ${rank} axes. Is it one?`);
  };
  const [hiddenSize, channels, patchSize] = need('patch_embed.weight', 4) as [number, number, number];
  const [, tokens] = need('pos_embed', 3) as [number, number];
  const [clusters] = need('head.4.weight', 2) as [number];
  const [inner] = need('layers.0.mlp.0.weight', 2) as [number];
  let depth = 0;
  while (Object.hasOwn(found, `layers.${depth}.mlp.0.weight`)) depth++;
  return parseRouterConfig({
    ...{ clusters, channels, patchSize, hiddenSize, depth },
    inputSize: patchSize * Math.sqrt(tokens),
    heads: Math.max(1, hiddenSize / 64),
    mlpRatio: inner / hiddenSize,
  });
}
