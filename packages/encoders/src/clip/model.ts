// CLIP's text encoder (https://arxiv.org/abs/2103.00020, §2.4): a transformer in which a token sees itself and those before it.
//
//   ids ─ embeddings + positions ─▶ layer ─▶ … ─▶ layer ─ norm ─▶ hidden states ─ at the end token ─▶ pooled
import { arange, argmax, geluExact, ShapeError, sigmoid, softmax, type Tensor, where } from '@paris/tensor';
import { embedding, layerNorm, linear } from '@paris/tensor/nn';
import type { ClipTextConfig } from './config.js';
import type { ClipLayerParams, ClipTextParams } from './parameters.js';

/** What the text encoder says of prompts. */
export interface ClipTextFeatures {
  /** The last hidden states, [B, L, d]: what experts attend to. */
  readonly hidden: Tensor;
  /** The hidden state at the end token, [B, d]. */
  readonly pooled: Tensor;
}

/**
 * Features of prompts.
 * @param ids - u32 [B, L]
 * @throws ShapeError if there are more tokens than positions
 */
export function clipTextForward(config: ClipTextConfig, params: ClipTextParams, ids: Tensor): ClipTextFeatures {
  const [b = 0, length = 0] = ids.shape;
  if (ids.rank !== 2 || length > config.maxTokens) {
    throw new ShapeError('clip', `ids must be [B, L] with L ≤ ${config.maxTokens}, got [${ids.shape.join(', ')}].`);
  }
  const { embeddings, encoder, final_layer_norm } = params.text_model;
  const positions = embeddings.position_embedding.weight.slice([[0, length], null]);
  // In f32, also with weights in f16, as no other input says in what.
  let x = embedding(embeddings.token_embedding, ids).cast('f32').add(positions); // [B, L, d]
  const places = arange(length, 'f32');
  const visible = places.reshape([length, 1]).greaterEqual(places); // [L, L]: a query's row, and which keys it sees
  for (const layer of encoder.layers) x = clipLayer(config, layer, x, visible);
  const hidden = layerNorm(final_layer_norm, x, { eps: config.layerNormEps });

  // As f32, which holds the ids of any vocabulary exactly.
  const numbers = ids.cast('f32');
  const ends = config.endToken === 2 ? numbers : numbers.equal(config.endToken).cast('f32');
  const end = argmax(ends, 1).cast('f32').reshape([b, 1]); // of equals the first
  const chosen = end.equal(places).cast('f32').reshape([b, 1, length]);
  return { hidden, pooled: chosen.matmul(hidden).reshape([b, config.hiddenSize]) };
}

function clipLayer(config: ClipTextConfig, params: ClipLayerParams, x: Tensor, visible: Tensor): Tensor {
  const eps = config.layerNormEps;
  const attended = x.add(attend(config, params.self_attn, layerNorm(params.layer_norm1, x, { eps }), visible));
  const { fc1, fc2 } = params.mlp;
  const inner = linear(fc1, layerNorm(params.layer_norm2, attended, { eps }));
  const active = config.activation === 'gelu' ? geluExact(inner) : inner.mul(sigmoid(inner.mul(1.702)));
  return attended.add(linear(fc2, active));
}

function attend({ heads }: ClipTextConfig, params: ClipLayerParams['self_attn'], x: Tensor, visible: Tensor): Tensor {
  const [b = 0, length = 0, d = 0] = x.shape;
  const inHeads = (t: Tensor) => t.reshape([b, length, heads, d / heads]).permute([0, 2, 1, 3]); // [B, H, L, d/H]
  const [q, k, v] = [params.q_proj, params.k_proj, params.v_proj].map((each) => inHeads(linear(each, x)));
  const scores = q!.matmul(k!.transpose()).mul(1 / Math.sqrt(d / heads)); // [B, H, L, L]
  const mixed = softmax(where(visible, scores, -1e30)).matmul(v!);
  return linear(params.out_proj, mixed.permute([0, 2, 1, 3]).reshape(x.shape));
}
