// @paris/encoders/clip: prompts → embeddings.
export { clip, createClipText } from './clip.js';
export { type ClipTextConfig, parseClipTextConfig } from './config.js';
export { type ClipTextFeatures, clipTextForward } from './model.js';
export { type ClipLayerParams, type ClipTextParams, clipTextParameterShapes } from './parameters.js';
export { type ClipTokenizer, clipTokenizer } from './tokenizer.js';
