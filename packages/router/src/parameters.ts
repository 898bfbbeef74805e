// Every parameter of the router transformer, its shape and how it starts, group by group.

import {
  type PatchEmbedParams,
  patchEmbedParameters,
  sinCosPositions2d,
  type TimeEmbedParams,
  timeEmbedParameters,
} from '@paris/model/transformer';
import type { Tensor } from '@paris/tensor';
import {
  type LayerNormParams,
  type LinearParams,
  layerNormParameters,
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
import type { RouterConfig } from './config.js';

/** The names are those of the released checkpoint; a number is a place in a PyTorch Sequential. */
export interface RouterParams {
  readonly patch_embed: PatchEmbedParams;
  /** [1, N, d], for the patches only */
  readonly pos_embed: Tensor;
  /** [1, 1, d] */
  readonly cls_token: Tensor;
  readonly time_embed: TimeEmbedParams;
  /** [vocabulary, width]; with word ids. */
  readonly text_embed?: { readonly weight: Tensor };
  /** [d, width]; where the router reads the prompt. */
  readonly text_proj?: LinearParams;
  /** [classes + 1, d]; where it reads a class. */
  readonly label_embed?: { readonly weight: Tensor };
  readonly layers: readonly RouterBlockParams[];
  readonly head: { readonly 0: LinearParams; readonly 2: LayerNormParams; readonly 4: LinearParams };
}

/** The weights of one block: modulation, self-attention and MLP. */
export interface RouterBlockParams {
  /** SiLU, then this: the block's six modulations (AdaLN-zero). */
  readonly adaLN_modulation: { readonly 1: LinearParams };
  readonly attn: MultiHeadAttentionParams;
  readonly mlp: MlpParams;
}

/** The shape of every parameter by its key, in file order. Allocates nothing. */
export function routerParameterShapes(config: RouterConfig): ParameterShapes {
  return shapesOf(routerParameters(config));
}

/** As in DiT: Xavier for linear layers, zero for biases, and blocks that start as the identity. */
export function routerParameters(config: RouterConfig): ParameterTable {
  const { clusters, inputSize, channels, patchSize, hiddenSize: d, depth } = config;
  const grid = inputSize / patchSize;
  return {
    ...patchEmbedParameters('patch_embed', channels, patchSize, d),
    pos_embed: {
      shape: [1, grid * grid, d],
      initialise: (_, shape) => sinCosPositions2d(d, grid, grid).reshape(shape),
    },
    cls_token: { shape: [1, 1, d], initialise: normal(0.02) },
    ...timeEmbedParameters('time_embed', d),
    ...textParameters(config),

    ...Object.assign({}, ...Array.from({ length: depth }, (_, i) => blockParameters(`layers.${i}`, config))),

    // Unlike DiT's, the last layer is drawn: a zero one would let nothing flow back to gates that are still closed, and
    // short trainings end at far lower accuracy.
    ...linearParameters('head.0', d, d),
    ...layerNormParameters('head.2', d),
    ...linearParameters('head.4', d, clusters),
  };
}

function textParameters({ condition, hiddenSize: d }: RouterConfig): ParameterTable {
  switch (condition?.kind) {
    case 'tokens':
      return {
        'text_embed.weight': { shape: [condition.vocabulary, condition.width], initialise: normal(1) },
        ...linearParameters('text_proj', condition.width, d),
      };
    case 'embeddings':
      return linearParameters('text_proj', condition.width, d);
    case 'label': // Added to the time embedding, so of its scale.
      return { 'label_embed.weight': { shape: [condition.classes + 1, d], initialise: normal(0.02) } };
    default:
      return {};
  }
}

function blockParameters(name: string, { hiddenSize: d, mlpRatio }: RouterConfig): ParameterTable {
  return {
    ...linearParameters(`${name}.adaLN_modulation.1`, d, 6 * d, zeros),
    ...multiHeadAttentionParameters(`${name}.attn`, d),
    ...mlpParameters(`${name}.mlp`, d, d * mlpRatio),
  };
}
