// Layers that transformers share: pure functions of (params, x), with the key names and packings of PyTorch, so that
// released checkpoints load without renaming.
export { dequantize, type QuantizedFormat, type QuantizedMatrix } from './dequantize.js';
export { type EmbeddingParams, embedding, embeddingParameters } from './embedding.js';
export { type Initialiser, normal, ones, xavierUniform, zeros } from './initialisers.js';
export { type LinearParams, linear, linearParameters } from './linear.js';
export { type MlpParams, mlp, mlpParameters } from './mlp.js';
export * from './multi-head-attention.js';
export * from './norms.js';
export * from './parameters.js';
export * from './quantize.js';
