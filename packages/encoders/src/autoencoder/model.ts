// The autoencoder of latent diffusion (https://arxiv.org/abs/2112.10752, §3.1) with the layers of diffusers' AutoencoderKL.
//
//   picture ─ conv ─▶ level ─▶ … ─▶ level ─▶ middle ─ conv ─▶ mean and log variance ─ scale ─▶ latents
//   latents ─ unscale, conv ─▶ middle ─▶ level ─▶ … ─▶ level ─ conv ─▶ picture
import { concat, resize, ShapeError, silu, softmax, split, type Tensor } from '@paris/tensor';
import { groupNorm, linear } from '@paris/tensor/nn';
import type { AutoencoderKLConfig } from './config.js';
import { conv, defaultSlicing, overBatch, type Slicing, spans } from './layers.js';
import type { AutoencoderKLParams, MiddleParams, PictureAttentionParams, ResnetParams } from './parameters.js';

/** What a block needs of the config, and how much scratch memory it may take. */
interface Context extends Pick<Slicing, 'sliceBytes'> {
  readonly groups: number;
}

/** The distribution of a picture's latents, not scaled: each [B, C, h, w]. */
export interface LatentDistribution {
  readonly mean: Tensor;
  /** Logarithm of the variance, within [−30, 20]. */
  readonly logVariance: Tensor;
}

const eps = 1e-6;

/**
 * Pictures [B, 3, H, W] in [−1, 1] → the distribution of their latents, without scale and shift.
 * @throws ShapeError if H or W is no multiple of 2^(levels − 1), or the channels differ from the config's
 */
export function autoencoderKLEncode(
  config: AutoencoderKLConfig,
  params: AutoencoderKLParams,
  pictures: Tensor,
  options: Partial<Slicing> = {},
): LatentDistribution {
  const factor = 2 ** (config.blockChannels.length - 1);
  requirePictures('autoencoder-kl', pictures, config.inChannels, factor);
  const slicing = { ...defaultSlicing, ...options };
  const [, , height = 0, width = 0] = pictures.shape;
  const context = { sliceBytes: slicing.sliceBytes, groups: config.normGroups };
  const moments = overBatch(pictures, pixelBytes(config) * height * width, slicing, (x) => encode(params, x, context));
  const [mean, logVariance] = split(moments, 2, 1) as [Tensor, Tensor];
  return { mean, logVariance: logVariance.maximum(-30).minimum(20) };
}

/**
 * Latents [B, C, h, w] without scale and shift → pictures [B, 3, H, W], about [−1, 1].
 * @throws ShapeError if the channels differ from the config's
 */
export function autoencoderKLDecode(
  config: AutoencoderKLConfig,
  params: AutoencoderKLParams,
  latents: Tensor,
  options: Partial<Slicing> = {},
): Tensor {
  requireLatents('autoencoder-kl', latents, config.latentChannels);
  const slicing = { ...defaultSlicing, ...options };
  const [, , height = 0, width = 0] = latents.shape;
  const pixels = height * width * 4 ** (config.blockChannels.length - 1);
  const context = { sliceBytes: slicing.sliceBytes, groups: config.normGroups };
  return overBatch(latents, pixelBytes(config) * pixels, slicing, (x) => decode(params, x, context));
}

/**
 * What a pixel takes, about. The largest values have a picture's size: what enters the decoder's last level, with the channels of the
 * level before, and what is made of it.
 */
function pixelBytes({ blockChannels }: AutoencoderKLConfig): number {
  return 3 * 4 * (blockChannels[1] ?? blockChannels[0]!);
}

/** [B, 3, H, W] → mean and log variance, [B, 2C, h, w] */
function encode({ encoder, quant_conv }: AutoencoderKLParams, pictures: Tensor, context: Context): Tensor {
  let x = conv(encoder.conv_in, pictures, context);
  for (const block of encoder.down_blocks) {
    for (const params of block.resnets) x = resnet(params, x, context);
    const down = block.downsamplers?.[0];
    // Zeros right and below only, as the original's F.pad(x, (0, 1, 0, 1)).
    if (down) x = conv(down.conv, x, { ...context, stride: 2, padding: [0, 1] });
  }
  x = middle(encoder.mid_block, x, context);
  x = conv(encoder.conv_out, silu(norm(encoder.conv_norm_out, x, context)), context);
  return quant_conv ? conv(quant_conv, x, context) : x;
}

function decode({ decoder, post_quant_conv }: AutoencoderKLParams, latents: Tensor, context: Context): Tensor {
  let x = post_quant_conv ? conv(post_quant_conv, latents, context) : latents;
  x = middle(decoder.mid_block, conv(decoder.conv_in, x, context), context);
  for (const block of decoder.up_blocks) {
    for (const params of block.resnets) x = resnet(params, x, context);
    const up = block.upsamplers?.[0];
    if (up) x = conv(up.conv, doubled(x), context);
  }
  return conv(decoder.conv_out, silu(norm(decoder.conv_norm_out, x, context)), context);
}

/** Every pixel twice in both directions. */
export function doubled(x: Tensor): Tensor {
  return resize(x, [2 * x.shape[2]!, 2 * x.shape[3]!], 'nearest');
}

/** Throws a ShapeError unless these are pictures of so many channels whose sides are multiples of `factor`. */
export function requirePictures(tag: string, { shape, rank }: Tensor, channels: number, factor: number): void {
  if (rank === 4 && shape[1] === channels && shape[2]! % factor === 0 && shape[3]! % factor === 0) return;
  const must = `[B, ${channels}, H, W] with H and W multiples of ${factor}`;
  throw new ShapeError(tag, `pictures must be ${must}, got [${shape.join(', ')}].`);
}

/** Throws a ShapeError unless these are latents of so many channels. */
export function requireLatents(tag: string, { shape, rank }: Tensor, channels: number): void {
  if (rank === 4 && shape[1] === channels) return;
  throw new ShapeError(tag, `latents must be [B, ${channels}, h, w], got [${shape.join(', ')}].`);
}

function norm(params: ResnetParams['norm1'], x: Tensor, { groups }: Context): Tensor {
  return groupNorm(params, x, { groups, eps });
}

function resnet(params: ResnetParams, x: Tensor, context: Context): Tensor {
  const first = conv(params.conv1, silu(norm(params.norm1, x, context)), context);
  const second = conv(params.conv2, silu(norm(params.norm2, first, context)), context);
  return second.add(params.conv_shortcut ? conv(params.conv_shortcut, x, context) : x);
}

function middle({ resnets, attentions }: MiddleParams, x: Tensor, context: Context): Tensor {
  let y = resnet(resnets[0]!, x, context);
  if (attentions) y = y.add(attend(attentions[0]!, y, context));
  return resnet(resnets[1]!, y, context);
}

/**
 * One head over all places, in slices of queries: [B, C, H, W] → the same. Heads are as wide as the channels (512), which
 * matrix products take better than the fused attention kernel does.
 */
function attend(params: PictureAttentionParams, x: Tensor, context: Context): Tensor {
  const [b = 0, c = 0, height = 0, width = 0] = x.shape;
  const places = height * width;
  const rows = norm(params.group_norm, x, context).reshape([b, c, places]).transpose(); // [B, N, C]
  const q = linear(params.to_q, rows).mul(1 / Math.sqrt(c));
  const k = linear(params.to_k, rows).transpose(); // [B, C, N]
  const v = linear(params.to_v, rows);
  const parts = spans(places, b * places * 4, context.sliceBytes).map((span, _, { length }) => {
    const queries = length === 1 ? q : q.slice([null, span, null]);
    return softmax(queries.matmul(k)).matmul(v); // [B, n, C]
  });
  const mixed = linear(params.to_out[0], parts.length === 1 ? parts[0]! : concat(parts, 1));
  return mixed.transpose().reshape([b, c, height, width]);
}
