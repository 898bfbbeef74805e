// Configs by somebody who means harm: no number of theirs builds a network of gigabytes before weights are looked at.
import { expect, it } from 'vitest';
import { parseAutoencoderKLConfig } from './autoencoder/config.js';
import { parseTinyAutoencoderConfig } from './autoencoder/tiny-config.js';
import { parseClipTextConfig } from './clip/config.js';

const fields = {
  clip: [
    parseClipTextConfig,
    'vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads max_position_embeddings',
  ],
  autoencoder: [
    parseAutoencoderKLConfig,
    'in_channels out_channels latent_channels block_out_channels layers_per_block norm_num_groups',
  ],
  tiny: [
    parseTinyAutoencoderConfig,
    'latent_channels encoder_block_out_channels decoder_block_out_channels num_encoder_blocks num_decoder_blocks',
  ],
} as const;

it.each(Object.entries(fields))('%s', (_, [parse, names]) => {
  for (const name of names.split(' ')) {
    for (const value of [1e8, 2 ** 40, 1e308, 0, -1]) {
      const given = /block_out|_blocks$/.test(name) ? [value] : value;
      expect(() => parse({ [name]: given }), `${name} ${value}`).toThrow(new RegExp(`${name}(\\.0)? must be`));
    }
    if (/block_out|_blocks$/.test(name)) {
      expect(() => parse({ [name]: new Array(1e6).fill(1) })).toThrow(`${name} must be a list of at most 16`);
    }
  }
});
