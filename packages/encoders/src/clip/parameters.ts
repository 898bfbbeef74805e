// Every parameter of CLIP's text encoder by its name in transformers' files, and how fresh ones start.
import type { Tensor } from '@paris/tensor';
import {
  type EmbeddingParams,
  embeddingParameters,
  type LayerNormParams,
  type LinearParams,
  layerNormParameters,
  linearParameters,
  type ParameterShapes,
  type ParameterTable,
  shapesOf,
} from '@paris/tensor/nn';
import type { ClipTextConfig } from './config.js';

/** One layer: attention and an MLP, each after a norm and around which x is carried. */
export interface ClipLayerParams {
  readonly layer_norm1: LayerNormParams;
  readonly self_attn: {
    readonly q_proj: LinearParams;
    readonly k_proj: LinearParams;
    readonly v_proj: LinearParams;
    readonly out_proj: LinearParams;
  };
  readonly layer_norm2: LayerNormParams;
  readonly mlp: { readonly fc1: LinearParams; readonly fc2: LinearParams };
}

/** The names are those of transformers' files. */
export interface ClipTextParams {
  readonly text_model: {
    readonly embeddings: {
      /** [vocabulary, d] */
      readonly token_embedding: EmbeddingParams;
      /** [maxTokens, d] */
      readonly position_embedding: { readonly weight: Tensor };
    };
    readonly encoder: { readonly layers: readonly ClipLayerParams[] };
    readonly final_layer_norm: LayerNormParams;
  };
}

/** The shape of every parameter by its key, in file order. */
export function clipTextParameterShapes(config: ClipTextConfig): ParameterShapes {
  return shapesOf(clipTextParameters(config));
}

/** Every parameter and how it starts. */
export function clipTextParameters(config: ClipTextConfig): ParameterTable {
  const { vocabulary, hiddenSize: d, mlpSize, depth, maxTokens } = config;
  const layers = Array.from({ length: depth }, (_, i) => {
    const name = `text_model.encoder.layers.${i}`;
    const projections = ['q_proj', 'k_proj', 'v_proj', 'out_proj'];
    return Object.assign(
      {},
      layerNormParameters(`${name}.layer_norm1`, d),
      ...projections.map((part) => linearParameters(`${name}.self_attn.${part}`, d, d)),
      layerNormParameters(`${name}.layer_norm2`, d),
      linearParameters(`${name}.mlp.fc1`, d, mlpSize),
      linearParameters(`${name}.mlp.fc2`, mlpSize, d),
    ) as ParameterTable;
  });
  return Object.assign(
    {},
    embeddingParameters('text_model.embeddings.token_embedding', vocabulary, d),
    embeddingParameters('text_model.embeddings.position_embedding', maxTokens, d),
    ...layers,
    layerNormParameters('text_model.final_layer_norm', d),
  );
}
