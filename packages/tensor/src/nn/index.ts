// Layers that transformers share: pure functions of (params, x), with the key names and packings of PyTorch, so that
// released checkpoints load without renaming.
export type { Condition } from './condition.js';
export { type EmbeddingParams, embedding, embeddingParameters } from './embedding.js';
export { type Initialiser, normal, ones, xavierUniform, zeros } from './initialisers.js';
export { type LinearParams, linear, linearParameters } from './linear.js';
export { type MlpParams, mlp, mlpParameters } from './mlp.js';
export { adaptiveLayerNorm, type Branch, blockModulation, type Modulation } from './modulate.js';
export * from './multi-head-attention.js';
export * from './norms.js';
export * from './parameters.js';
export { type PatchEmbedParams, patchEmbed, patchEmbedParameters, patchify, unpatchify } from './patches.js';
export { sinCosPositions2d } from './positions.js';
export { checkInput, misfits, type TransformerSizes } from './sizes.js';
export * from './time.js';
