// What transformers over noisy pictures share: patches, positions, the time, modulation, and checks of their input and
// config. Layers that have nothing to do with pictures or times are in @paris/tensor/nn.
export { adaptiveLayerNorm, type Branch, blockModulation, type Modulation } from './modulation.js';
export { type PatchEmbedParams, patchEmbed, patchEmbedParameters, patchify, unpatchify } from './patches.js';
export { sinCosPositions2d } from './positions.js';
export { checkInput, misfits, type TransformerSizes } from './sizes.js';
export * from './time.js';
