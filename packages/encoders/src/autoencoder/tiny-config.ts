// What a tiny autoencoder is made from: the config.json of diffusers' AutoencoderTiny, and whether its middle is pooled.
import { count, limits } from '@paris/model/transformer';
import * as z from 'zod/mini';
import { foreignConfigParser } from '../config.js';

/** Everything that decides a tiny autoencoder's layout. */
export interface TinyAutoencoderConfig {
  /** 4 (TAESD, TAESDXL), 16 (TAESD3, TAEF1) or 32 (TAEF2). */
  readonly latentChannels: number;
  /** Channels of each level, the picture's first. */
  readonly encoderChannels: readonly number[];
  /** Channels of each level, the latents' first. */
  readonly decoderChannels: readonly number[];
  /** Blocks of each level of the encoder. */
  readonly encoderBlocks: readonly number[];
  /** Blocks of each level of the decoder. */
  readonly decoderBlocks: readonly number[];
  /** Latents are bounded to ± this before decoding, by a tanh. */
  readonly latentMagnitude: number;
  /** Latents as experts see them = (latents − shift) · scale. */
  readonly scalingFactor: number;
  readonly shiftFactor: number;
  /** Whether the blocks at the latents' size see the whole picture through a group norm (FLUX.2's). Default false. */
  readonly pooledMiddle: boolean;
}

const counts = (most: number, fallback: number[]) =>
  z._default(z.array(count(most)).check(z.minLength(1), z.maxLength(16)), fallback);
const positive = z.number().check(z.positive());

const schema = z.object({
  architecture: z.optional(z.literal('tiny-autoencoder')),
  in_channels: z._default(z.literal(3), 3),
  out_channels: z._default(z.literal(3), 3),
  latent_channels: z._default(count(limits.width), 4),
  encoder_block_out_channels: counts(limits.width, [64, 64, 64, 64]),
  decoder_block_out_channels: counts(limits.width, [64, 64, 64, 64]),
  num_encoder_blocks: counts(64, [1, 3, 3, 3]),
  num_decoder_blocks: counts(64, [3, 3, 3, 1]),
  act_fn: z._default(z.literal('relu'), 'relu'),
  upsample_fn: z._default(z.literal('nearest'), 'nearest'),
  upsampling_scaling_factor: z._default(z.literal(2), 2),
  latent_magnitude: z._default(positive, 3),
  scaling_factor: z._default(positive, 1),
  shift_factor: z._default(z.nullable(z.number()), 0),
  pooled_middle: z._default(z.boolean(), false),
});

/**
 * A checked config with diffusers' defaults filled in. `pooled_middle` is ours: diffusers has no such class yet.
 * @throws ValueError that lists every problem
 */
export const parseTinyAutoencoderConfig: (json: unknown) => TinyAutoencoderConfig = foreignConfigParser(
  'tiny-autoencoder',
  'a tiny autoencoder',
  schema,
  (json, problems) => {
    const pairs = [
      ['encoder_block_out_channels', 'num_encoder_blocks'],
      ['decoder_block_out_channels', 'num_decoder_blocks'],
      ['num_encoder_blocks', 'num_decoder_blocks'],
    ] as const;
    for (const [a, b] of pairs) {
      if (json[a].length !== json[b].length)
        problems.push(`${a} has ${json[a].length} entries and ${b} ${json[b].length}`);
    }
    return {
      latentChannels: json.latent_channels,
      encoderChannels: json.encoder_block_out_channels,
      decoderChannels: json.decoder_block_out_channels,
      encoderBlocks: json.num_encoder_blocks,
      decoderBlocks: json.num_decoder_blocks,
      latentMagnitude: json.latent_magnitude,
      scalingFactor: json.scaling_factor,
      shiftFactor: json.shift_factor ?? 0,
      pooledMiddle: json.pooled_middle,
    };
  },
);
