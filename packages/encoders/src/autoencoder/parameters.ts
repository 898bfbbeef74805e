// Every parameter of an AutoencoderKL by its name in diffusers' files, and how fresh ones start.
import {
  type GroupNormParams,
  groupNormParameters,
  type LinearParams,
  linearParameters,
  type ParameterShapes,
  type ParameterTable,
  shapesOf,
} from '@paris/tensor/nn';
import type { AutoencoderKLConfig } from './config.js';
import { type ConvParams, convParameters } from './layers.js';

/** Norm, SiLU, convolution, twice; a 1 × 1 convolution carries x where the channels change. */
export interface ResnetParams {
  readonly norm1: GroupNormParams;
  readonly conv1: ConvParams;
  readonly norm2: GroupNormParams;
  readonly conv2: ConvParams;
  readonly conv_shortcut?: ConvParams;
}

/** Attention of one head over all places. */
export interface PictureAttentionParams {
  readonly group_norm: GroupNormParams;
  readonly to_q: LinearParams;
  readonly to_k: LinearParams;
  readonly to_v: LinearParams;
  readonly to_out: { readonly 0: LinearParams };
}

/** The middle: residual block, attention, residual block. */
export interface MiddleParams {
  readonly resnets: readonly ResnetParams[];
  readonly attentions?: readonly PictureAttentionParams[];
}

/** A level of the encoder. */
export interface DownBlockParams {
  readonly resnets: readonly ResnetParams[];
  readonly downsamplers?: readonly { readonly conv: ConvParams }[];
}

/** A level of the decoder. */
export interface UpBlockParams {
  readonly resnets: readonly ResnetParams[];
  readonly upsamplers?: readonly { readonly conv: ConvParams }[];
}

/** What both halves have at their ends. */
export interface EndParams {
  readonly conv_in: ConvParams;
  readonly mid_block: MiddleParams;
  readonly conv_norm_out: GroupNormParams;
  readonly conv_out: ConvParams;
}

/** The names are those of diffusers' files. */
export interface AutoencoderKLParams {
  readonly encoder: EndParams & { readonly down_blocks: readonly DownBlockParams[] };
  readonly quant_conv?: ConvParams;
  readonly post_quant_conv?: ConvParams;
  readonly decoder: EndParams & { readonly up_blocks: readonly UpBlockParams[] };
}

/** The shape of every parameter by its key, in file order. */
export function autoencoderKLParameterShapes(config: AutoencoderKLConfig): ParameterShapes {
  return shapesOf(autoencoderKLParameters(config));
}

/** Every parameter and how it starts: Xavier for weights, no effect for norms, zero for biases. */
export function autoencoderKLParameters(config: AutoencoderKLConfig): ParameterTable {
  const { inChannels, outChannels, latentChannels: latent, blockChannels, layersPerBlock } = config;
  const levels = blockChannels.length;
  const down = blockChannels.flatMap((channels, i) => [
    ...resnets(`encoder.down_blocks.${i}`, blockChannels[Math.max(0, i - 1)]!, channels, layersPerBlock),
    ...(i < levels - 1 ? [convParameters(`encoder.down_blocks.${i}.downsamplers.0.conv`, channels, channels)] : []),
  ]);
  const reversed = [...blockChannels].reverse();
  const up = reversed.flatMap((channels, i) => [
    ...resnets(`decoder.up_blocks.${i}`, reversed[Math.max(0, i - 1)]!, channels, layersPerBlock + 1),
    ...(i < levels - 1 ? [convParameters(`decoder.up_blocks.${i}.upsamplers.0.conv`, channels, channels)] : []),
  ]);
  const [first, deepest] = [blockChannels[0]!, reversed[0]!];
  return Object.assign(
    {},
    convParameters('encoder.conv_in', inChannels, first),
    ...down,
    ...middle('encoder.mid_block', deepest, config),
    groupNormParameters('encoder.conv_norm_out', deepest),
    convParameters('encoder.conv_out', deepest, 2 * latent),
    config.quantConv ? convParameters('quant_conv', 2 * latent, 2 * latent, 1) : {},
    config.postQuantConv ? convParameters('post_quant_conv', latent, latent, 1) : {},
    convParameters('decoder.conv_in', latent, deepest),
    ...middle('decoder.mid_block', deepest, config),
    ...up,
    groupNormParameters('decoder.conv_norm_out', first),
    convParameters('decoder.conv_out', first, outChannels),
  );
}

function resnets(block: string, before: number, channels: number, count: number): ParameterTable[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `${block}.resnets.${i}`;
    const inputs = i === 0 ? before : channels;
    return {
      ...groupNormParameters(`${name}.norm1`, inputs),
      ...convParameters(`${name}.conv1`, inputs, channels),
      ...groupNormParameters(`${name}.norm2`, channels),
      ...convParameters(`${name}.conv2`, channels, channels),
      ...(inputs !== channels ? convParameters(`${name}.conv_shortcut`, inputs, channels, 1) : {}),
    };
  });
}

function middle(name: string, channels: number, { middleAttention }: AutoencoderKLConfig): ParameterTable[] {
  const attention = `${name}.attentions.0`;
  const parts = ['to_q', 'to_k', 'to_v', 'to_out.0'].map((part) =>
    linearParameters(`${attention}.${part}`, channels, channels),
  );
  return [
    ...resnets(name, channels, channels, 2),
    ...(middleAttention ? [groupNormParameters(`${attention}.group_norm`, channels), ...parts] : []),
  ];
}
