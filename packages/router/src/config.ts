// What a router is made from: plain numbers that stand in its config.json.

import { configParser, count, type TransformerConfig, transformerFields } from '@paris/model/transformer';
import * as z from 'zod/mini';

/** An activation in the router's head; 'none' passes values through, 'gelu' is the tanh form. */
export type HeadActivation = 'gelu' | 'silu' | 'relu' | 'none';

/** Everything that decides the layout of the router transformer; what config.json holds. */
export interface RouterConfig extends TransformerConfig {
  readonly clusters: number;
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
  clusters: count,
  ...transformerFields,
  headActivations: z._default(z.tuple([activation, activation]), ['gelu', 'gelu']),
});

/**
 * A checked RouterConfig with its defaults filled in, from the contents of a config.json.
 * @throws ValueError that lists every problem
 */
export const parseRouterConfig: (json: unknown) => RouterConfig = configParser('router', 'a router', schema);
