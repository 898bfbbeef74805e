// @paris/encoders/autoencoder: pictures ↔ latents.
export { autoencoderKL, createAutoencoderKL } from './autoencoder-kl.js';
export { type AutoencoderKLConfig, parseAutoencoderKLConfig } from './config.js';
export type { ConvParams, Slicing } from './layers.js';
export { oldAttentionLayout, taesdLayout } from './layouts.js';
export { autoencoderKLDecode, autoencoderKLEncode, type LatentDistribution } from './model.js';
export * from './parameters.js';
export {
  createTinyAutoencoder,
  type TinyAutoencoderParams,
  type TinyBlockParams,
  type TinyLayersParams,
  tinyAutoencoder,
  tinyAutoencoderParameterShapes,
} from './tiny.js';
export { parseTinyAutoencoderConfig, type TinyAutoencoderConfig } from './tiny-config.js';
