// What a router is made from: the plain numbers of its config.json.

import { configParser, count, limits, type TransformerConfig, transformerFields } from '@paris/model/transformer';
import * as z from 'zod/mini';

/** An activation in the router's head; 'none' passes values through, 'gelu' is the tanh form. */
export type HeadActivation = 'gelu' | 'silu' | 'relu' | 'none';

/** What a router reads of the prompt, in addition to the noisy picture. */
export type RouterCondition =
  /** Nothing, as the released router: p(k | x_t, t). */
  | { readonly kind: 'none' }
  /** Word ids, embedded by the router's own `text_embed.weight` [vocabulary, width]; 0 is padding. */
  | { readonly kind: 'tokens'; readonly vocabulary: number; readonly width: number }
  /** A text encoder's output of this width (CLIP ViT-L/14: 768). */
  | { readonly kind: 'embeddings'; readonly width: number }
  /** One of `classes` classes, in a table of the router's own; class number `classes` stands for "anything". */
  | { readonly kind: 'label'; readonly classes: number };

/** Everything that decides the layout of the router transformer; what config.json holds. */
export interface RouterConfig extends TransformerConfig {
  readonly clusters: number;
  /**
   * Whether the router reads the prompt, and how. The flow of a prompt's pictures is Σ_k p(k | x_t, t, prompt) · u_k, so a
   * router that reads it is the exact one for guided sampling; without it the first steps, where x_t is noise, ask the
   * largest clusters whatever the prompt. Default none.
   */
  readonly condition?: RouterCondition | undefined;
  /**
   * Around the head's layer norm: head.0, activation, layer norm, activation, head.4. The released weights do not say
   * which; default twice 'gelu' (tanh form).
   */
  readonly headActivations: readonly [HeadActivation, HeadActivation];
}

/** The released router: DiT-B/2 on 32×32×4 latents, 8 clusters; 129,136,904 parameters. */
export const routerPresets: {
  readonly 'router-b-2': {
    readonly clusters: 8;
    readonly inputSize: 32;
    readonly channels: 4;
    readonly patchSize: 2;
    readonly hiddenSize: 768;
    readonly depth: 12;
    readonly heads: 12;
    readonly mlpRatio: 4;
    readonly headActivations: readonly ['gelu', 'gelu'];
    readonly timeScale: 1000;
    readonly timeRounding: 'none';
    readonly layerNormEps: 0.00001;
  };
} = {
  'router-b-2': {
    clusters: 8,
    inputSize: 32,
    channels: 4,
    patchSize: 2,
    hiddenSize: 768,
    depth: 12,
    heads: 12,
    mlpRatio: 4,
    headActivations: ['gelu', 'gelu'],
    timeScale: 1000,
    timeRounding: 'none',
    layerNormEps: 1e-5,
  },
} as const satisfies Record<string, RouterConfig>;

const activation = z.enum(['gelu', 'silu', 'relu', 'none']);

const schema = z.strictObject({
  architecture: z.optional(z.literal('router-transformer')),
  clusters: count(limits.clusters),
  ...transformerFields,
  headActivations: z._default(z.tuple([activation, activation]), ['gelu', 'gelu']),
  condition: z.optional(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('tokens'), vocabulary: count(limits.rows), width: count(limits.width) }),
      z.strictObject({ kind: z.literal('embeddings'), width: count(limits.width) }),
      z.strictObject({ kind: z.literal('label'), classes: count(limits.rows - 1) }),
    ]),
  ),
});

/**
 * A checked RouterConfig with its defaults filled in, from the contents of a config.json.
 * @throws ValueError that lists every problem
 */
export const parseRouterConfig: (json: unknown) => RouterConfig = configParser('router', 'a router', schema);
