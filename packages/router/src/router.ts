// The contract between a router and everything that trains or samples with it. A router tells from noisy latents which
// cluster they come from: p(k | x_t, t), eq. 5 of Decentralized Diffusion Models (https://arxiv.org/abs/2501.05450).
// It holds the clusters' sizes already: nobody re-weights it by them.

import type { Condition } from '@paris/model';
import { type Key, type Tensor, type TensorKey, type TreeOf, type TreeShape, ValueError } from '@paris/tensor';

/** What a router sees: a batch of noisy latents and their times. */
export interface RouterInput {
  /** [B, C, H, W] at time t. */
  readonly latents: Tensor;
  /** f32 [B] in [0, 1]: 0 is data, 1 is noise. */
  readonly time: Tensor;
  /** For routers that read the prompt; those of the released Paris do not. */
  readonly condition?: Condition;
}

/** A network that tells clusters apart by a noisy picture: p(k | x_t, t), eq. 5 of arXiv 2501.05450. */
export interface Router<P = TreeOf<Tensor>> {
  readonly clusters: number;
  /** Fresh parameters, drawn from a key; lazy, so their shapes are known before anything runs. */
  init(key: Key | TensorKey): P;
  /** Logits of p(k | x_t, t), [B, K]. */
  logits(params: P, input: RouterInput): Tensor;
}

/** An architecture that can be handed to `loadPipeline` or the trainer, beside others of other parameter types. */
export interface AnyRouterArchitecture {
  /** Its name in config.json. */
  readonly architecture: string;
  /** From the contents of config.json to a router whose parameters are seen as a plain tree. */
  fromConfig(json: unknown): Router;
}

/** What an architecture says of itself to {@link defineRouter}. */
export interface RouterDefinition<C, P extends TreeShape<P, Tensor>> {
  readonly architecture: string;
  /** Checks outside data and fills in defaults. Throws an error that lists every problem. */
  parseConfig(json: unknown): C;
  /** The network of a checked config. It holds no weights. */
  create(config: C): Router<P>;
}

/** An architecture whose config and parameter types are known. */
export interface RouterArchitecture<C, P extends TreeShape<P, Tensor>>
  extends RouterDefinition<C, P>,
    AnyRouterArchitecture {}

/**
 * Makes a router's architecture known to the SDK.
 * @throws ValueError if the name is not lower-case words joined by hyphens
 */
export function defineRouter<C, P extends TreeShape<P, Tensor>>(
  definition: RouterDefinition<C, P>,
): RouterArchitecture<C, P> {
  const { architecture, parseConfig, create } = definition;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(architecture)) {
    throw new ValueError(
      'defineRouter',
      `the architecture's name stands in config.json: lower-case words joined by hyphens, got "${architecture}".`,
    );
  }
  // The one place that forgets the type of the parameters: whoever loads a checkpoint compares its keys and shapes
  // with those of init() first.
  const fromConfig = (json: unknown) => create(parseConfig(json)) as unknown as Router;
  return { architecture, parseConfig, create, fromConfig };
}
