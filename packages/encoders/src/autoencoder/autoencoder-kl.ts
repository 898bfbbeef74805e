// The AutoencoderKL as a codec that pipelines and the trainer take.
import { type Codec, type DefinedArchitecture, defineArchitecture, type PictureShape } from '@paris/model';
import { exp, full, ShapeError, stack, type Tensor } from '@paris/tensor';
import { initialiseParameters } from '@paris/tensor/nn';
import { type AutoencoderKLConfig, parseAutoencoderKLConfig } from './config.js';
import type { Slicing } from './layers.js';
import { autoencoderKLDecode, autoencoderKLEncode } from './model.js';
import { type AutoencoderKLParams, autoencoderKLParameters } from './parameters.js';

/**
 * A codec that runs the AutoencoderKL of this config, its latents shifted and scaled. `encode` gives the mean, or with noise a
 * draw from the picture's distribution.
 * @example
 * const codec = createAutoencoderKL(parseAutoencoderKLConfig({ block_out_channels: [32, 64] }));
 * const latents = codec.encode(codec.init(key(0)), pictures); // [B, 3, H, W] in [−1, 1] → [B, 4, H/2, W/2]
 */
export function createAutoencoderKL(
  config: AutoencoderKLConfig,
  options: Partial<Slicing> = {},
): Codec<AutoencoderKLParams> {
  const { latentChannels, blockChannels, inChannels, scalingFactor: scale } = config;
  const factor = 2 ** (blockChannels.length - 1);
  return {
    latentShape: halvedShape('autoencoder-kl', { channels: inChannels, latentChannels, factor }),
    init: (key) => initialiseParameters<AutoencoderKLParams>(autoencoderKLParameters(config), key),
    encode(params, pictures, noise) {
      const { mean, logVariance } = autoencoderKLEncode(config, params, pictures, options);
      const drawn = noise ? mean.add(exp(logVariance.mul(0.5)).mul(noise)) : mean;
      const { shift, deviation } = latentScale(config);
      const level = drawn.sub(shift);
      return (deviation === undefined ? level : level.div(deviation)).mul(scale);
    },
    decode(params, latents) {
      const { shift, deviation } = latentScale(config);
      const level = latents.div(scale);
      const plain = (deviation === undefined ? level : level.mul(deviation)).add(shift);
      return autoencoderKLDecode(config, params, plain, options);
    },
  };
}

/** The architecture named `autoencoder-kl` in a codec's config.json. */
export const autoencoderKL: DefinedArchitecture<
  AutoencoderKLConfig,
  Codec<AutoencoderKLParams>,
  Codec
> = defineArchitecture({
  architecture: 'autoencoder-kl',
  parseConfig: parseAutoencoderKLConfig,
  create: (config) => createAutoencoderKL(config),
});

/** `latentShape` of a codec that divides both sides by `factor`. */
export function halvedShape(
  tag: string,
  { channels, latentChannels, factor }: { channels: number; latentChannels: number; factor: number },
): Codec['latentShape'] {
  return (picture: PictureShape) => {
    const { height, width } = picture;
    if (picture.channels !== channels || height % factor !== 0 || width % factor !== 0 || height === 0 || width === 0) {
      const got = `${picture.channels} of ${height} × ${width}`;
      throw new ShapeError(
        tag,
        `pictures must have ${channels} channels and sides that are multiples of ${factor}, got ${got}.`,
      );
    }
    return { channels: latentChannels, height: height / factor, width: width / factor };
  };
}

function latentScale({ shiftFactor, latentStatistics }: AutoencoderKLConfig): {
  readonly shift: Tensor | number;
  readonly deviation?: Tensor;
} {
  if (!latentStatistics) return { shift: shiftFactor };
  const byChannel = (values: readonly number[]) =>
    stack(values.map((value) => full([], value))).reshape([values.length, 1, 1]);
  return { shift: byChannel(latentStatistics.mean), deviation: byChannel(latentStatistics.deviation) };
}
