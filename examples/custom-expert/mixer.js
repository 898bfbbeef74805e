// An expert of one's own: an MLP-Mixer (https://arxiv.org/abs/2105.01601), conditioned on the time and the words.
import { defineArchitecture } from '@paris/model';
import {
  patchEmbed,
  patchEmbedParameters,
  timeEmbed,
  timeEmbedParameters,
  timeSteps,
  unpatchify,
} from '@paris/model/transformer';
import { embedding, layerNorm, silu, ValueError } from '@paris/tensor';
import * as nn from '@paris/tensor/nn';

export default defineArchitecture({
  architecture: 'mixer',
  parseConfig,
  create: (config) => ({
    objective: { prediction: 'velocity', path: 'linear' },
    init: (key) => nn.initialiseParameters(parameterTable(config), key),
    apply: (params, input) => forward(config, params, input),
  }),
});

/** The trainer offers these numbers; they come back from the model folder's config.json. */
function parseConfig({ inputSize, channels, patchSize, hiddenSize, depth, condition }) {
  const numbers = { inputSize, channels, patchSize, hiddenSize, depth, vocabulary: condition?.vocabulary };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number.isInteger(value) && value > 0))
      throw new ValueError('mixer', `${name} must be from 1 on, got ${value}.`);
  }
  if (inputSize % patchSize === 0) return numbers;
  throw new ValueError('mixer', `inputSize ${inputSize} is not a multiple of patchSize ${patchSize}.`);
}

/** Every parameter: its key in the safetensors file, its shape, how it starts. */
function parameterTable({ inputSize, channels, patchSize, hiddenSize: d, depth, vocabulary }) {
  const places = (inputSize / patchSize) ** 2;
  const layer = (name) => ({
    ...nn.linearParameters(`${name}.shift`, d, d),
    ...nn.mlpParameters(`${name}.places`, places, 2 * places),
    ...nn.mlpParameters(`${name}.channels`, d, 4 * d),
  });
  return {
    ...patchEmbedParameters('patch_embed', channels, patchSize, d),
    ...timeEmbedParameters('time_embed', d),
    'text_embed.weight': { shape: [vocabulary, d], initialise: nn.normal(0.02) },
    ...Object.assign({}, ...Array.from({ length: depth }, (_, i) => layer(`layers.${i}`))),
    ...nn.linearParameters('final', d, patchSize * patchSize * channels, nn.zeros),
  };
}

function forward({ inputSize, channels, patchSize, hiddenSize: d }, params, { latents, time, condition }) {
  const steps = timeSteps(time, { timeScale: 1000, timeRounding: 'none' }); // [B]
  const words = embedding(params.text_embed.weight, condition.ids).mean(1); // [B, d]
  const c = silu(timeEmbed(params.time_embed, steps).add(words)); // [B, d]
  let x = patchEmbed(params.patch_embed, latents); // [B, N, d]
  for (const layer of params.layers) {
    x = x.add(nn.linear(layer.shift, c).reshape([-1, 1, d]));
    x = x.add(nn.mlp(layer.places, layerNorm(x).transpose()).transpose()); // across the N places
    x = x.add(nn.mlp(layer.channels, layerNorm(x))); // across the d channels
  }
  const patches = nn.linear(params.final, layerNorm(x)); // [B, N, p·p·C]
  return unpatchify(patches, { patchSize, channels, height: inputSize, width: inputSize });
}
