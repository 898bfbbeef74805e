// The router of the released Paris: a DiT (https://arxiv.org/abs/2212.09748) with AdaLN-zero in every block that reads
// its answer off a class token. It does not see the prompt.

import type { NoisyInput } from '@paris/model';
import {
  adaptiveLayerNorm,
  blockModulation,
  checkInput,
  patchEmbed,
  timeEmbed,
  timeSteps,
} from '@paris/model/transformer';
import { concat, gelu, relu, silu, type Tensor } from '@paris/tensor';
import { layerNorm, linear, mlp, multiHeadAttention } from '@paris/tensor/nn';
import type { HeadActivation, RouterConfig } from './config.js';
import type { RouterBlockParams, RouterParams } from './parameters.js';

/**
 * Logits of p(k | x_t, t).
 * @param input - latents [B, C, S, S], time [B] in [0, 1]; a condition is ignored
 * @returns [B, K]
 * @throws ShapeError if latents or time have another shape
 */
export function routerForward(config: RouterConfig, params: RouterParams, input: NoisyInput): Tensor {
  checkInput('router', config, input);
  const { latents, time } = input;
  const d = config.hiddenSize;
  const patches = patchEmbed(params.patch_embed, latents).add(params.pos_embed); // [B, N, d]
  const token = params.cls_token.expand([latents.shape[0]!, 1, d]); // has no position
  let x = concat([token, patches], 1); // [B, 1 + N, d]
  const t = silu(timeEmbed(params.time_embed, timeSteps(time, config))); // [B, d]
  for (const layer of params.layers) x = routerBlock(config, layer, x, t);
  const answer = x.slice([null, [0, 1], null]).reshape([-1, d]); // [B, d]
  return head(config, params.head, answer);
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
