// What a DiT is made from: plain numbers of an expert's config.json.

import type { Objective } from '@paris/model';
import { configParser, count, limits, type TransformerConfig, transformerFields } from '@paris/model/transformer';
import * as z from 'zod/mini';

/** What the pictures are conditioned on. */
export type DiTCondition =
  /** Word ids, embedded by the expert's own `text_embed.weight` [vocabulary, width]; at most maxTokens a picture. */
  | { readonly kind: 'tokens'; readonly vocabulary: number; readonly maxTokens: number; readonly width: number }
  /** A text encoder's output of this width (CLIP ViT-L/14: 768). */
  | { readonly kind: 'embeddings'; readonly width: number }
  /** One of `classes` classes; class number `classes` stands for "anything". They may have names, see `LabelSet`. */
  | { readonly kind: 'label'; readonly classes: number; readonly names?: readonly string[] | undefined }
  | { readonly kind: 'none' };

/** Everything that decides the layout of a DiT; what config.json holds. */
export interface DiTConfig extends TransformerConfig {
  readonly objective: Objective;
  readonly condition: DiTCondition;
  /**
   * What sets the shifts, scales and gates of the blocks. 'single': one linear layer for all of them and a table a
   * block (PixArt-α, https://arxiv.org/abs/2310.00426, §2.3; the released checkpoints). 'zero': a linear layer a block
   * (DiT, https://arxiv.org/abs/2212.09748, §3.2). Default 'single'.
   */
  readonly modulation: 'single' | 'zero';
  /** What words go through before the blocks: one linear layer, or PixArt's linear, GELU, linear. Default 'linear'. */
  readonly textProjection: 'linear' | 'mlp';
  /**
   * Whether the last layer returns a variance in addition to the prediction (https://arxiv.org/abs/2102.09672, eq. 15), and so
   * twice the channels; it is split off and not used. Default false.
   */
  readonly learnSigma: boolean;
}

const schema = z.strictObject({
  architecture: z.optional(z.literal('dit')),
  objective: z._default(
    z.strictObject({
      prediction: z.enum(['velocity', 'epsilon', 'sample', 'v']),
      path: z.string().check(z.minLength(1)),
    }),
    { prediction: 'velocity', path: 'linear' },
  ),
  ...transformerFields,
  condition: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('tokens'),
      vocabulary: count(limits.rows),
      maxTokens: count(limits.tokens),
      width: count(limits.width),
    }),
    z.strictObject({ kind: z.literal('embeddings'), width: count(limits.width) }),
    z.strictObject({
      kind: z.literal('label'),
      classes: count(limits.rows - 1),
      names: z.optional(z.array(z.string()).check(z.maxLength(limits.rows))),
    }),
    z.strictObject({ kind: z.literal('none') }),
  ]),
  modulation: z._default(z.enum(['single', 'zero']), 'single'),
  textProjection: z._default(z.enum(['linear', 'mlp']), 'linear'),
  learnSigma: z._default(z.boolean(), false),
});

/**
 * A checked DiTConfig with its defaults filled in, from the contents of a config.json.
 * @throws ValueError that lists every problem
 */
export const parseDiTConfig: (json: unknown) => DiTConfig = configParser('dit', 'a DiT', schema);
