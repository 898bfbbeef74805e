// What transformers over noisy pictures share: patches, positions, the time, modulation, their config and its checks, and
// what a forward costs. Layers that have nothing to do with pictures or times are in @paris/tensor/nn.
export { count, limits } from '../limits.js';
export {
  configParser,
  misfits,
  type TransformerConfig,
  type TransformerSizes,
  transformerFields,
} from './config.js';
export { attentionCost, type ForwardCost, linearCost, sumCosts } from './cost.js';
export { checkInput } from './input.js';
export { adaptiveLayerNorm, type Branch, blockModulation, type Modulation } from './modulation.js';
export { type PatchEmbedParams, patchEmbed, patchEmbedParameters, patchify, unpatchify } from './patches.js';
export { sinCosPositions2d } from './positions.js';
export {
  type TimeEmbedParams,
  type TimeScaling,
  timeEmbed,
  timeEmbedParameters,
  timeSteps,
  timestepEmbedding,
} from './time.js';
