// CLIP's text encoder with its tokenizer, as a part of a model folder: text/{config.json, tokenizer.json, model.safetensors}.
import { type DefinedArchitecture, defineArchitecture, type TextEncoder } from '@paris/model';
import { initialiseParameters } from '@paris/tensor/nn';
import { type ClipTextConfig, parseClipTextConfig } from './config.js';
import { clipTextForward } from './model.js';
import { type ClipTextParams, clipTextParameters } from './parameters.js';
import { type ClipTokenizer, clipTokenizer, tokenizerFiles } from './tokenizer.js';

/**
 * A text encoder that runs the CLIP of this config: prompts → its last hidden states, [B, 77, d], padding included, as Stable
 * Diffusion 1 and Paris were trained with.
 * @throws ValueError if the tokenizer is of another vocabulary
 */
export function createClipText(config: ClipTextConfig, tokenizer: ClipTokenizer): TextEncoder<ClipTextParams> {
  tokenizer.requireVocabulary(config.vocabulary, config.endToken);
  return {
    init: (key) => initialiseParameters<ClipTextParams>(clipTextParameters(config), key),
    tokenize: (prompts) => tokenizer.tokenize(prompts, config.maxTokens),
    encode: (params, { ids }) => ({ kind: 'embeddings', tokens: clipTextForward(config, params, ids).hidden }),
  };
}

/**
 * The architecture named `clip` in a text encoder's config.json. Its tokenizer is tokenizer.json, or vocab.json and
 * merges.txt; a tokenizer_config.json says which token pads.
 */
export const clip: DefinedArchitecture<ClipTextConfig, TextEncoder<ClipTextParams>, TextEncoder> = defineArchitecture({
  architecture: 'clip',
  companions: tokenizerFiles,
  parseConfig: parseClipTextConfig,
  create: (config, files) => createClipText(config, clipTokenizer(files)),
});
