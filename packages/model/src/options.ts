// @paris/model/options: what options about models may be. It loads nothing that computes.
export type { NoisePath } from './paths/path.js';
export { noisePath, noisePaths } from './paths/paths.js';
export { type WeightFormat, weightFormats } from './quantized/formats.js';
