// What CLIP's text encoder is made from: the config.json of transformers' CLIPTextModel, or of a whole CLIPModel.
import { count, limits } from '@paris/model/transformer';
import * as z from 'zod/mini';
import { foreignConfigParser } from '../config.js';

/** Everything that decides the text encoder's layout. */
export interface ClipTextConfig {
  /** Tokens that there are: 49,408. */
  readonly vocabulary: number;
  /** d: 768 for ViT-L/14. */
  readonly hiddenSize: number;
  /** Width of a layer's MLP. */
  readonly mlpSize: number;
  readonly depth: number;
  readonly heads: number;
  /** Tokens that a prompt is cut or padded to, both marks counted: 77. */
  readonly maxTokens: number;
  /** x · σ(1.702 x), or the exact GELU. */
  readonly activation: 'quick_gelu' | 'gelu';
  readonly layerNormEps: number;
  /**
   * The token whose place the pooled output is read at, where it first stands. 2, as older configs say, means the largest id of
   * a prompt, wherever that is.
   */
  readonly endToken: number;
}

const token = z.int().check(z.nonnegative());

const schema = z.object({
  vocab_size: z._default(count(limits.rows), 49408),
  hidden_size: z._default(count(limits.width), 512),
  intermediate_size: z._default(count(limits.width), 2048),
  num_hidden_layers: z._default(count(limits.depth), 12),
  num_attention_heads: z._default(count(limits.heads), 8),
  max_position_embeddings: z._default(count(limits.tokens), 77),
  hidden_act: z._default(z.enum(['quick_gelu', 'gelu']), 'quick_gelu'),
  layer_norm_eps: z._default(z.number().check(z.positive()), 1e-5),
  eos_token_id: z._default(token, 49407),
});

const parse = foreignConfigParser('clip', 'a CLIP text encoder', schema, (json, problems) => {
  const { hidden_size: hiddenSize, num_attention_heads: heads, vocab_size: vocabulary, eos_token_id: endToken } = json;
  if (hiddenSize % heads !== 0) {
    problems.push(`hidden_size ${hiddenSize} is no multiple of num_attention_heads ${heads}`);
  }
  if (endToken >= vocabulary) problems.push(`eos_token_id ${endToken} is not among vocab_size ${vocabulary} tokens`);
  if (json.max_position_embeddings < 2) problems.push('max_position_embeddings leaves no room for two marks');
  return {
    ...{ vocabulary, hiddenSize, heads, endToken },
    mlpSize: json.intermediate_size,
    depth: json.num_hidden_layers,
    maxTokens: json.max_position_embeddings,
    activation: json.hidden_act,
    layerNormEps: json.layer_norm_eps,
  };
});

/**
 * A checked config with transformers' defaults filled in, from the contents of its config.json; of a whole CLIPModel the
 * `text_config` counts.
 * @throws ValueError that lists every problem
 */
export function parseClipTextConfig(json: unknown): ClipTextConfig {
  const whole = json as { text_config?: unknown } | null;
  return parse(typeof whole === 'object' && whole?.text_config !== undefined ? whole.text_config : json);
}
