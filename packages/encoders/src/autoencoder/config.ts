// What an AutoencoderKL is made from: the config.json of diffusers' class of that name.
import { count, limits } from '@paris/model/transformer';
import * as z from 'zod/mini';
import { foreignConfigParser } from '../config.js';

/** Everything that decides an AutoencoderKL's layout, and how its latents are scaled. */
export interface AutoencoderKLConfig {
  /** Channels of pictures: 3. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  /** Channels of each level, the largest picture first; every level but the last halves the picture. */
  readonly blockChannels: readonly number[];
  /** Residual blocks of a level in the encoder; the decoder has one more. */
  readonly layersPerBlock: number;
  /** Groups of the group norms. */
  readonly normGroups: number;
  /** Latents as experts see them = (latents − shift) · scale. */
  readonly scalingFactor: number;
  readonly shiftFactor: number;
  /** By channel, instead of the shift, where the config has them: (latents − mean) / deviation · scale. */
  readonly latentStatistics?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Whether a 1 × 1 convolution follows the encoder. */
  readonly quantConv: boolean;
  /** Whether a 1 × 1 convolution precedes the decoder. */
  readonly postQuantConv: boolean;
  /** Whether the middle has attention. */
  readonly middleAttention: boolean;
}

const channels = count(limits.width);
const counts = z.array(channels).check(z.minLength(1), z.maxLength(16));
const numbers = z.optional(z.nullable(z.array(z.number())));

const schema = z.object({
  architecture: z.optional(z.literal('autoencoder-kl')),
  in_channels: z._default(channels, 3),
  out_channels: z._default(channels, 3),
  latent_channels: z._default(channels, 4),
  block_out_channels: z._default(counts, [64]),
  layers_per_block: z._default(count(64), 1),
  norm_num_groups: z._default(channels, 32),
  scaling_factor: z._default(z.number().check(z.positive()), 0.18215),
  shift_factor: z._default(z.nullable(z.number()), 0),
  latents_mean: numbers,
  latents_std: numbers,
  use_quant_conv: z._default(z.boolean(), true),
  use_post_quant_conv: z._default(z.boolean(), true),
  mid_block_add_attention: z._default(z.boolean(), true),
  act_fn: z._default(z.literal('silu'), 'silu'),
  down_block_types: z.optional(z.array(z.literal('DownEncoderBlock2D'))),
  up_block_types: z.optional(z.array(z.literal('UpDecoderBlock2D'))),
});

/**
 * A checked config with diffusers' defaults filled in, from the contents of its config.json (`architecture` may be added).
 * @throws ValueError that lists every problem
 */
export const parseAutoencoderKLConfig: (json: unknown) => AutoencoderKLConfig = foreignConfigParser(
  'autoencoder-kl',
  'an AutoencoderKL',
  schema,
  (json, problems) => {
    const { latents_mean: mean, latents_std: deviation, latent_channels: latentChannels } = json;
    for (const channels of json.block_out_channels) {
      if (channels % json.norm_num_groups !== 0)
        problems.push(`block_out_channels has ${channels}, no multiple of norm_num_groups ${json.norm_num_groups}`);
    }
    for (const [name, list] of Object.entries({ latents_mean: mean, latents_std: deviation })) {
      if (list && list.length !== latentChannels)
        problems.push(`${name} has ${list.length} numbers for ${latentChannels} channels`);
    }
    if (!mean !== !deviation) problems.push('of latents_mean and latents_std one is missing');
    for (const name of ['down_block_types', 'up_block_types'] as const) {
      const types = json[name];
      if (types && types.length !== json.block_out_channels.length)
        problems.push(`${name} has ${types.length} entries for ${json.block_out_channels.length} block_out_channels`);
    }
    return {
      inChannels: json.in_channels,
      outChannels: json.out_channels,
      latentChannels,
      blockChannels: json.block_out_channels,
      layersPerBlock: json.layers_per_block,
      normGroups: json.norm_num_groups,
      scalingFactor: json.scaling_factor,
      shiftFactor: json.shift_factor ?? 0,
      ...(mean && deviation && { latentStatistics: { mean, deviation } }),
      quantConv: json.use_quant_conv,
      postQuantConv: json.use_post_quant_conv,
      middleAttention: json.mid_block_add_attention,
    };
  },
);
