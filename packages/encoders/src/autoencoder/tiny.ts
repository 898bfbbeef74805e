// Tiny autoencoders: TAESD and its relatives by Ollin Boer Bohan (https://github.com/madebyollin/taesd, MIT), in the layout of
// diffusers' AutoencoderTiny. Rows of 3 × 3 convolutions; a decoder of 1.2 million parameters is quick enough for previews.
import { type Codec, type DefinedArchitecture, defineArchitecture } from '@paris/model';
import { relu, type Tensor, tanh } from '@paris/tensor';
import {
  type GroupNormParams,
  groupNorm,
  groupNormParameters,
  initialiseParameters,
  type ParameterShapes,
  type ParameterTable,
  shapesOf,
} from '@paris/tensor/nn';
import { halvedShape } from './autoencoder-kl.js';
import { type ConvParams, conv, convParameters, defaultSlicing, overBatch, type Slicing } from './layers.js';
import { doubled, requireLatents, requirePictures } from './model.js';
import type { TinyAutoencoderConfig } from './tiny-config.js';
import { parseTinyAutoencoderConfig } from './tiny-config.js';

/** Three convolutions around which x is carried, and in a pooled middle what sees the whole picture. */
export interface TinyBlockParams {
  readonly conv: { readonly 0: ConvParams; readonly 2: ConvParams; readonly 4: ConvParams };
  readonly pool?: { readonly 0: ConvParams; readonly 1: GroupNormParams; readonly 3: ConvParams };
}

/** By place: places without parameters are left out. */
export type TinyLayersParams = { readonly [place: number]: ConvParams | TinyBlockParams };

/** The names are those of diffusers' files. */
export interface TinyAutoencoderParams {
  readonly encoder: { readonly layers: TinyLayersParams };
  readonly decoder: { readonly layers: TinyLayersParams };
}

/** What stands at a place of the encoder or the decoder. */
type Layer =
  | {
      readonly kind: 'conv';
      readonly inputs: number;
      readonly outputs: number;
      readonly stride: 1 | 2;
      readonly bias: boolean;
    }
  | { readonly kind: 'block'; readonly channels: number; readonly pooled: boolean }
  | { readonly kind: 'relu' }
  | { readonly kind: 'double' };

/** The shape of every parameter by its key, in file order. */
export function tinyAutoencoderParameterShapes(config: TinyAutoencoderConfig): ParameterShapes {
  return shapesOf(tinyAutoencoderParameters(config));
}

/** A codec that runs the tiny autoencoder of this config. There is no distribution: `encode` ignores noise. */
export function createTinyAutoencoder(
  config: TinyAutoencoderConfig,
  options: Partial<Slicing> = {},
): Codec<TinyAutoencoderParams> {
  const { latentChannels, encoderBlocks, scalingFactor, shiftFactor, latentMagnitude } = config;
  const slicing = { ...defaultSlicing, ...options };
  const [encoder, decoder] = [encoderLayers(config), decoderLayers(config)];
  const pixelBytes = 3 * 4 * config.decoderChannels.at(-1)!;
  const factor = 2 ** (encoderBlocks.length - 1);
  return {
    latentShape: halvedShape('tiny-autoencoder', { channels: 3, latentChannels, factor }),
    init: (key) => initialiseParameters<TinyAutoencoderParams>(tinyAutoencoderParameters(config), key),
    encode(params, pictures) {
      requirePictures('tiny-autoencoder', pictures, 3, factor);
      const [, , height = 0, width = 0] = pictures.shape;
      const light = pictures.add(1).div(2); // it was trained on [0, 1]
      const y = overBatch(light, pixelBytes * height * width, slicing, (x) =>
        run(encoder, params.encoder.layers, x, slicing),
      );
      return y.sub(shiftFactor).mul(scalingFactor);
    },
    decode(params, latents) {
      requireLatents('tiny-autoencoder', latents, latentChannels);
      const plain = latents.div(scalingFactor).add(shiftFactor);
      const bounded = tanh(plain.div(latentMagnitude)).mul(latentMagnitude);
      const [, , height = 0, width = 0] = latents.shape;
      const y = overBatch(bounded, pixelBytes * height * width * factor ** 2, slicing, (x) =>
        run(decoder, params.decoder.layers, x, slicing),
      );
      return y.mul(2).sub(1);
    },
  };
}

/** The architecture named `tiny-autoencoder` in a codec's config.json. */
export const tinyAutoencoder: DefinedArchitecture<
  TinyAutoencoderConfig,
  Codec<TinyAutoencoderParams>,
  Codec
> = defineArchitecture({
  architecture: 'tiny-autoencoder',
  parseConfig: parseTinyAutoencoderConfig,
  create: (config) => createTinyAutoencoder(config),
});

function encoderLayers({
  encoderChannels,
  encoderBlocks,
  latentChannels,
  pooledMiddle,
}: TinyAutoencoderConfig): Layer[] {
  const last = encoderBlocks.length - 1;
  const layers = encoderBlocks.flatMap((blocks, i): Layer[] => {
    const channels = encoderChannels[i]!;
    const before = i === 0 ? 3 : encoderChannels[i - 1]!;
    const enter = { kind: 'conv', inputs: before, outputs: channels, stride: i === 0 ? 1 : 2, bias: i === 0 } as const;
    return [enter, ...repeat(blocks, { kind: 'block', channels, pooled: pooledMiddle && i === last } as const)];
  });
  return [...layers, { kind: 'conv', inputs: encoderChannels[last]!, outputs: latentChannels, stride: 1, bias: true }];
}

function decoderLayers({
  decoderChannels,
  decoderBlocks,
  latentChannels,
  pooledMiddle,
}: TinyAutoencoderConfig): Layer[] {
  const last = decoderBlocks.length - 1;
  const layers = decoderBlocks.flatMap((blocks, i): Layer[] => {
    const channels = decoderChannels[i]!;
    const outputs = i === last ? 3 : decoderChannels[i + 1]!;
    const row = repeat(blocks, { kind: 'block', channels, pooled: pooledMiddle && i === 0 } as const);
    const leave = { kind: 'conv', inputs: channels, outputs, stride: 1, bias: i === last } as const;
    return i === last ? [...row, leave] : [...row, { kind: 'double' }, leave];
  });
  const enter = { kind: 'conv', inputs: latentChannels, outputs: decoderChannels[0]!, stride: 1, bias: true } as const;
  return [enter, { kind: 'relu' }, ...layers];
}

function repeat<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

/** Every parameter and how it starts. */
function tinyAutoencoderParameters(config: TinyAutoencoderConfig): ParameterTable {
  const half = (name: string, layers: readonly Layer[]): ParameterTable[] =>
    layers.map((layer, i) => {
      if (layer.kind === 'conv') return convParameters(`${name}.${i}`, layer.inputs, layer.outputs, 3, layer.bias);
      return layer.kind === 'block' ? blockParameters(`${name}.${i}`, layer.channels, layer.pooled) : {};
    });
  return Object.assign(
    {},
    ...half('encoder.layers', encoderLayers(config)),
    ...half('decoder.layers', decoderLayers(config)),
  );
}

function blockParameters(name: string, c: number, pooled: boolean): ParameterTable {
  const pool = {
    ...convParameters(`${name}.pool.0`, c, 4 * c, 1, false),
    ...groupNormParameters(`${name}.pool.1`, 4 * c),
    ...convParameters(`${name}.pool.3`, 4 * c, c, 1, false),
  };
  return Object.assign({}, ...[0, 2, 4].map((i) => convParameters(`${name}.conv.${i}`, c, c)), pooled ? pool : {});
}

function run(layers: readonly Layer[], params: TinyLayersParams, input: Tensor, slicing: Slicing): Tensor {
  return layers.reduce((x, layer, i) => {
    if (layer.kind === 'relu') return relu(x);
    if (layer.kind === 'double') return doubled(x);
    if (layer.kind === 'block') return block(params[i] as TinyBlockParams, x, slicing);
    const { stride } = layer;
    return conv(params[i] as ConvParams, x, { ...slicing, stride, padding: [1, 1] });
  }, input);
}

function block({ conv: convs, pool }: TinyBlockParams, input: Tensor, slicing: Slicing): Tensor {
  const pooled = (p: NonNullable<typeof pool>, x: Tensor) => {
    const wide = relu(groupNorm(p[1], conv(p[0], x, slicing), { groups: 4, eps: 1e-5 }));
    return x.add(conv(p[3], wide, slicing));
  };
  const x = pool ? pooled(pool, input) : input;
  const y = relu(conv(convs[2], relu(conv(convs[0], x, slicing)), slicing));
  return relu(conv(convs[4], y, slicing).add(x));
}
