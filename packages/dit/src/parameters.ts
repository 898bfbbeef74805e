// Every parameter of a DiT, its shape and how it starts, group by group.

import {
  type PatchEmbedParams,
  patchEmbedParameters,
  sinCosPositions2d,
  type TimeEmbedParams,
  timeEmbedParameters,
} from '@paris/model/transformer';
import type { Tensor } from '@paris/tensor';
import {
  type Initialiser,
  type LinearParams,
  linearParameters,
  type MlpParams,
  type MultiHeadAttentionParams,
  mlpParameters,
  multiHeadAttentionParameters,
  normal,
  type ParameterShapes,
  type ParameterTable,
  shapesOf,
  zeros,
} from '@paris/tensor/nn';
import type { DiTConfig } from './config.js';

/** The names are those of the released checkpoints; a number is a place in a PyTorch Sequential. */
export interface DiTParams {
  readonly patch_embed: PatchEmbedParams;
  /** [1, N, d] */
  readonly pos_embed: Tensor;
  readonly time_embed: TimeEmbedParams;
  /** Modulation 'single': SiLU, then this: six modulations of every block at once. */
  readonly t_block?: { readonly 1: LinearParams };
  /** Condition 'tokens': [vocabulary, width]. */
  readonly text_embed?: { readonly weight: Tensor };
  /** Conditions 'tokens' and 'embeddings'. */
  readonly text_proj?: LinearParams | MlpParams;
  /** Condition 'label': [classes + 1, d]. */
  readonly label_embed?: { readonly weight: Tensor };
  readonly layers: readonly DiTBlockParams[];
  readonly final_layer: DiTFinalParams;
}

/** The weights of one block; which of them are there depends on modulation and condition. */
export interface DiTBlockParams {
  /** Modulation 'single': [6, d], added to the shared modulation. */
  readonly scale_shift_table?: Tensor;
  /** Modulation 'zero': SiLU, then this: the block's own six modulations. */
  readonly adaLN_modulation?: { readonly 1: LinearParams };
  readonly attn: MultiHeadAttentionParams;
  /** Conditions 'tokens' and 'embeddings'. */
  readonly cross_attn?: MultiHeadAttentionParams;
  readonly mlp: MlpParams;
}

/** The weights behind the last block: a modulated norm, then linear from [B, N, d] to each patch's numbers. */
export interface DiTFinalParams {
  readonly linear: LinearParams;
  /** Modulation 'single': [2, d], added to the time embedding. */
  readonly scale_shift_table?: Tensor;
  /** Modulation 'zero': SiLU, then this: shift and scale. */
  readonly adaLN_modulation?: { readonly 1: LinearParams };
}

/** The shape of every parameter by its key, in file order. Allocates nothing: DiT-XL/2 is counted in a millisecond. */
export function ditParameterShapes(config: DiTConfig): ParameterShapes {
  return shapesOf(ditParameters(config));
}

/**
 * Initialisation follows DiT: Xavier for linear layers, zero for biases, and zero for whatever adds to the residual
 * stream, so that each block starts as the identity and the whole network predicts zero.
 */
export function ditParameters(config: DiTConfig): ParameterTable {
  const { inputSize, channels, patchSize, hiddenSize: d, depth, learnSigma } = config;
  const single = config.modulation === 'single';
  const outputs = patchSize * patchSize * channels * (learnSigma ? 2 : 1);
  const grid = inputSize / patchSize;
  return {
    // Patches are drawn like a linear layer. Positions start as fixed waves; the released checkpoints store them.
    ...patchEmbedParameters('patch_embed', channels, patchSize, d),
    pos_embed: { shape: [1, grid * grid, d], initialise: sinCosPositions(grid) },

    // Time: small weights, so that early training is not torn about by 256 features of unit size. Modulations at zero
    // (t_block and the tables, or each block's own layer) mean: no shift, no scale, closed gates.
    ...timeEmbedParameters('time_embed', d),
    ...(single ? linearParameters('t_block.1', d, 6 * d, zeros) : {}),

    ...conditionParameters(config),
    ...Object.assign({}, ...Array.from({ length: depth }, (_, i) => blockParameters(`layers.${i}`, config))),

    // The final layer at zero: the first prediction is zero everywhere.
    ...linearParameters('final_layer.linear', d, outputs, zeros),
    ...modulationParameters('final_layer', config, 2),
  };
}

/** A table that is added to what all blocks share, or a layer of one's own. */
function modulationParameters(name: string, { modulation, hiddenSize: d }: DiTConfig, count: number): ParameterTable {
  return modulation === 'single'
    ? { [`${name}.scale_shift_table`]: { shape: [count, d], initialise: zeros } }
    : linearParameters(`${name}.adaLN_modulation.1`, d, count * d, zeros);
}

function conditionParameters({ condition, hiddenSize: d, textProjection }: DiTConfig): ParameterTable {
  const projection = (width: number) =>
    textProjection === 'mlp'
      ? { ...linearParameters('text_proj.0', width, d), ...linearParameters('text_proj.2', d, d) }
      : linearParameters('text_proj', width, d);
  switch (condition.kind) {
    case 'tokens': // Word vectors of unit scale, as the last layer norm of a text encoder would give.
      return {
        'text_embed.weight': { shape: [condition.vocabulary, condition.width], initialise: normal(1) },
        ...projection(condition.width),
      };
    case 'embeddings':
      return projection(condition.width);
    case 'label': // Added to the time embedding, so of its scale.
      return { 'label_embed.weight': { shape: [condition.classes + 1, d], initialise: normal(0.02) } };
    case 'none':
      return {};
  }
}

function blockParameters(name: string, config: DiTConfig): ParameterTable {
  const d = config.hiddenSize;
  return {
    ...modulationParameters(name, config, 6),
    ...multiHeadAttentionParameters(`${name}.attn`, d),
    // Cross-attention has no gate; a zero output projection closes it instead (PixArt-α, https://arxiv.org/abs/2310.00426).
    ...(readsText(config) ? multiHeadAttentionParameters(`${name}.cross_attn`, d, zeros) : {}),
    ...mlpParameters(`${name}.mlp`, d, d * config.mlpRatio),
  };
}

/** Whether blocks attend to words. */
function readsText({ condition }: DiTConfig): boolean {
  return condition.kind === 'tokens' || condition.kind === 'embeddings';
}

function sinCosPositions(grid: number): Initialiser {
  return (_, shape) => sinCosPositions2d(shape[2]!, grid, grid).reshape(shape);
}
