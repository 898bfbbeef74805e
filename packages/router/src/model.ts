// The router of the released Paris: a DiT (https://arxiv.org/abs/2212.09748) with AdaLN-zero in every block that reads
// its answer off a class token. By its config it also reads the prompt: the mean of its words is added to the time (pooled
// text, as in Paris' successor for video), or the row of its class, as in DiT.

import type { NoisyInput } from '@paris/model';
import {
  adaptiveLayerNorm,
  blockModulation,
  checkInput,
  patchEmbed,
  timeEmbed,
  timeSteps,
} from '@paris/model/transformer';
import { concat, embedding, gelu, logicalAnd, relu, silu, type Tensor, ValueError } from '@paris/tensor';
import { layerNorm, linear, mlp, multiHeadAttention } from '@paris/tensor/nn';
import type { HeadActivation, RouterConfig } from './config.js';
import type { RouterBlockParams, RouterParams } from './parameters.js';

/**
 * Logits of p(k | x_t, t), or of p(k | x_t, t, prompt) where the config names a condition. Activations have the latents' dtype.
 * @param input - latents [B, C, S, S], time [B] in [0, 1]; a condition that the config does not name is ignored
 * @returns [B, K]
 * @throws ShapeError if latents or time have another shape; ValueError if the condition that the config names is missing
 */
export function routerForward(config: RouterConfig, params: RouterParams, input: NoisyInput): Tensor {
  checkInput('router', config, input);
  const { latents, time } = input;
  const d = config.hiddenSize;
  const patches = patchEmbed(params.patch_embed, latents).add(params.pos_embed); // [B, N, d]
  const token = params.cls_token.expand([latents.shape[0]!, 1, d]); // has no position
  let x = concat([token, patches], 1); // [B, 1 + N, d]
  const moment = timeEmbed(params.time_embed, timeSteps(time, config)).cast(latents.dtype); // [B, d]
  const text = pooledText(config, params, input);
  const t = silu(text ? moment.add(text) : moment);
  for (const layer of params.layers) x = routerBlock(config, layer, x, t);
  const answer = x.slice([null, [0, 1], null]).reshape([-1, d]); // [B, d]
  return head(config, params.head, answer);
}

/** The mean of a prompt's words, projected, [B, d]; zero words are zeros before the projection. Of a class its row. */
function pooledText(
  { condition: wanted }: RouterConfig,
  params: RouterParams,
  { latents, condition }: NoisyInput,
): Tensor | undefined {
  if (!wanted || wanted.kind === 'none') return undefined;
  if (condition?.kind !== wanted.kind) {
    const got = condition ? `one of kind '${condition.kind}'` : 'none';
    throw new ValueError('router', `this router reads a condition of kind '${wanted.kind}', got ${got}.`);
  }
  const rows = (table: Tensor, ids: Tensor) => embedding(table, ids).cast(latents.dtype);
  if (condition.kind === 'label') return rows(params.label_embed!.weight, condition.label);
  let { mask } = condition;
  let tokens: Tensor; // [B, L, w]
  if (condition.kind === 'tokens') {
    const known = condition.ids.notEqual(0);
    mask = mask ? logicalAnd(known, mask) : known;
    tokens = rows(params.text_embed!.weight, condition.ids);
  } else tokens = condition.tokens;
  return linear(params.text_proj!, mask ? meanWhere(tokens, mask) : tokens.mean(1));
}

/** Words [B, L, w] and which of them count, bool [B, L] → their mean [B, w]. */
function meanWhere(words: Tensor, counts: Tensor): Tensor {
  const weights = counts.cast(words.dtype).reshape([...counts.shape, 1]); // [B, L, 1]
  return words.mul(weights).sum(1).div(weights.sum(1).maximum(1));
}

function routerBlock(config: RouterConfig, params: RouterBlockParams, x: Tensor, t: Tensor): Tensor {
  const { heads, hiddenSize: d, layerNormEps: eps } = config;
  const modulation = linear(params.adaLN_modulation[1], t).reshape([-1, 6, d]);
  const { attention, mlp: feedForward } = blockModulation(modulation); // each [B, 1, d]
  const attended = multiHeadAttention(params.attn, adaptiveLayerNorm(x, attention, eps), { heads });
  x = x.add(attended.mul(attention.gate));
  return x.add(mlp(params.mlp, adaptiveLayerNorm(x, feedForward, eps)).mul(feedForward.gate)); // [B, 1 + N, d]
}

/** No final norm and no modulation before it, [B, d] → [B, K]. */
function head(config: RouterConfig, params: RouterParams['head'], x: Tensor): Tensor {
  const [first, second] = config.headActivations.map((name) => activations[name]) as [Activation, Activation];
  const hidden = layerNorm(params[2], first(linear(params[0], x)), { eps: config.layerNormEps });
  return linear(params[4], second(hidden));
}

type Activation = (x: Tensor) => Tensor;
const activations: Record<HeadActivation, Activation> = { gelu, silu, relu, none: (x) => x };
