// The diffusion transformer of the released Paris experts: DiT (https://arxiv.org/abs/2212.09748) with one modulation
// network for all blocks and cross-attention to text (PixArt-α, https://arxiv.org/abs/2310.00426). By its config it is
// also DiT's own, with a modulation network in each block.
//
//   latents ─ patches + positions ─▶ block ─▶ … ─▶ block ─▶ final layer ─ patches back ─▶ prediction
//   time ──── embedding ─────────────▶ │ ▲            │ ▲        ▲
//   words ─── projection ────────────────┘ ─────────────┘   (time)

import type { NoisyInput } from '@paris/model';
import {
  adaptiveLayerNorm,
  blockModulation,
  checkInput,
  patchEmbed,
  timeEmbed,
  timeSteps,
  unpatchify,
} from '@paris/model/transformer';
import { embedding, silu, split, type Tensor, ValueError } from '@paris/tensor';
import { linear, mlp, multiHeadAttention } from '@paris/tensor/nn';
import type { DiTConfig } from './config.js';
import type { DiTBlockParams, DiTFinalParams, DiTParams } from './parameters.js';

/**
 * The prediction for noisy latents. Activations have the latents' dtype, whatever that of the weights is.
 * @param input - latents [B, C, S, S], time [B] in [0, 1], and the condition that the config names
 * @returns [B, C, S, S]; with a learned sigma [B, 2C, S, S], the prediction first
 * @throws ShapeError if latents or time have another shape; ValueError if the condition is not of the config's kind
 */
export function ditForward(config: DiTConfig, params: DiTParams, input: NoisyInput): Tensor {
  checkInput('dit', config, input);
  const { latents, time } = input;
  const { patchSize, inputSize, learnSigma } = config;
  const channels = config.channels * (learnSigma ? 2 : 1);
  let x = patchEmbed(params.patch_embed, latents).add(params.pos_embed); // [B, N, d]
  const { label, text } = embedCondition(config, params, input); // [B, d], [B, L, d]
  const t = timeEmbed(params.time_embed, timeSteps(time, config)).cast(latents.dtype); // [B, d]
  const c = label ? t.add(label) : t;
  const active = silu(c);
  // What sets the modulations: one layer for all blocks and c itself for the last one, or for each its own layer of c.
  const [blocks, final] = params.t_block ? [linear(params.t_block[1], active), c] : [active, active];
  for (const layer of params.layers) x = ditBlock(config, layer, x, modulations(layer, 6, blocks), text);
  x = finalLayer(config, params.final_layer, x, modulations(params.final_layer, 2, final)); // [B, N, p·p·C]
  return unpatchify(x, { patchSize, channels, height: inputSize, width: inputSize });
}

/** What words become before the blocks: computed once, read by all of them. */
interface Text {
  /** [B, L, d] */
  readonly tokens: Tensor;
  /** bool [B, L] */
  readonly mask?: Tensor | undefined;
}

/** The `count` modulations of a block or of the final layer, [B, count, d]: its own layer, or a table that is added. */
function modulations(params: Modulated, count: number, conditioning: Tensor): Tensor {
  const batch = conditioning.shape[0]!;
  if (params.adaLN_modulation) return linear(params.adaLN_modulation[1], conditioning).reshape([batch, count, -1]);
  const table = params.scale_shift_table!; // [count, d]
  return table.add(conditioning.reshape([batch, -1, table.shape[1]!]));
}
type Modulated = Pick<DiTBlockParams, 'scale_shift_table' | 'adaLN_modulation'>;

function ditBlock(config: DiTConfig, params: DiTBlockParams, x: Tensor, modulation: Tensor, text?: Text): Tensor {
  const { heads, layerNormEps: eps } = config;
  const { attention, mlp: feedForward } = blockModulation(modulation); // each [B, 1, d]

  const attended = multiHeadAttention(params.attn, adaptiveLayerNorm(x, attention, eps), { heads });
  x = x.add(attended.mul(attention.gate));

  if (params.cross_attn && text) {
    // Neither normalised nor gated, as in the released model.
    const mask = text.mask ? { mask: text.mask } : {};
    x = x.add(multiHeadAttention(params.cross_attn, x, { heads, context: text.tokens, ...mask }));
  }

  return x.add(mlp(params.mlp, adaptiveLayerNorm(x, feedForward, eps)).mul(feedForward.gate)); // [B, N, d]
}

function finalLayer(config: DiTConfig, params: DiTFinalParams, x: Tensor, modulation: Tensor): Tensor {
  const [shift, scale] = split(modulation, 2, 1) as [Tensor, Tensor]; // each [B, 1, d]
  return linear(params.linear, adaptiveLayerNorm(x, { shift, scale }, config.layerNormEps));
}

function embedCondition(
  config: DiTConfig,
  params: DiTParams,
  { latents, condition }: NoisyInput,
): { readonly label?: Tensor; readonly text?: Text } {
  const { kind } = config.condition;
  if (kind === 'none' || kind !== condition?.kind) {
    if (kind === 'none' && !condition) return {};
    const got = condition ? `one of kind '${condition.kind}'` : 'none';
    throw new ValueError('dit', `this expert's condition is of kind '${kind}', got ${got}. ${remedies[kind]}`);
  }
  const rows = (table: Tensor, ids: Tensor) => embedding(table, ids).cast(latents.dtype);
  if (condition.kind === 'label') return { label: rows(params.label_embed!.weight, condition.label) };
  const tokens = condition.kind === 'tokens' ? rows(params.text_embed!.weight, condition.ids) : condition.tokens;
  const projection = params.text_proj!;
  const projected = 'weight' in projection ? linear(projection, tokens) : mlp(projection, tokens); // [B, L, d]
  return { text: { tokens: projected, mask: condition.mask } };
}

const remedies: Record<DiTConfig['condition']['kind'], string> = {
  tokens: `Encode the prompts with the model's vocabulary; the unconditional is encode(['']).`,
  embeddings: `Pass the text encoder's output; the unconditional is encode(['']).`,
  label: 'Pass a class for each picture; the number of classes is the unconditional.',
  none: 'Leave the condition out.',
};
