// The contract between an expert and everything that trains or samples it. An expert is a config and pure functions;
// its parameters are a plain tree of tensors whose paths are the keys of its safetensors file.

import type { Condition } from '@paris/model';
import { type Key, type Tensor, type TensorKey, type TreeOf, type TreeShape, ValueError } from '@paris/tensor';

/** What the network's output means, and the noise path that it was trained on. */
export interface Objective {
  readonly prediction: 'velocity' | 'epsilon' | 'sample';
  /** A noise path's name: `linear`, `cosine`, … */
  readonly path: string;
}

/** What an expert sees: a batch of noisy latents, their times and what they should show. */
export interface ExpertInput {
  /** [B, C, H, W] at time t. */
  readonly latents: Tensor;
  /** f32 [B] in [0, 1]: 0 is data, 1 is noise. */
  readonly time: Tensor;
  readonly condition?: Condition;
}

/** A denoiser over latents, whatever its architecture. */
export interface Expert<P = TreeOf<Tensor>> {
  readonly objective: Objective;
  /** Fresh parameters, drawn from a key; lazy, so their shapes are known before anything runs. */
  init(key: Key | TensorKey): P;
  /** The prediction, [B, C, H, W]. A learned sigma is split off, see `dropLearnedSigma`. */
  apply(params: P, input: ExpertInput): Tensor;
}

/** An architecture that can be handed to `loadPipeline` or the trainer, beside others of other parameter types. */
export interface AnyExpertArchitecture {
  /** Its name in config.json. */
  readonly architecture: string;
  /** From the contents of config.json to an expert whose parameters are seen as a plain tree. */
  fromConfig(json: unknown): Expert;
}

/** What an architecture says of itself to {@link defineExpert}. */
export interface ExpertDefinition<C, P extends TreeShape<P, Tensor>> {
  readonly architecture: string;
  /** Checks outside data and fills in defaults. Throws an error that lists every problem. */
  parseConfig(json: unknown): C;
  /** The network of a checked config. It holds no weights. */
  create(config: C): Expert<P>;
}

/** An architecture whose config and parameter types are known. */
export interface ExpertArchitecture<C, P extends TreeShape<P, Tensor>>
  extends ExpertDefinition<C, P>,
    AnyExpertArchitecture {}

/**
 * Makes an architecture known to the SDK.
 * @example
 * const mlpMixer = defineExpert({ architecture: 'mlp-mixer', parseConfig: mixerConfig.parse, create: createMixer });
 * await loadPipeline('./model', { architectures: [mlpMixer] });
 * @throws ValueError if the name is empty or not lower-case words joined by hyphens
 */
export function defineExpert<C, P extends TreeShape<P, Tensor>>(
  definition: ExpertDefinition<C, P>,
): ExpertArchitecture<C, P> {
  const { architecture, parseConfig, create } = definition;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(architecture)) {
    throw new ValueError(
      'defineExpert',
      `the architecture's name stands in config.json: lower-case words joined by hyphens, got "${architecture}".`,
    );
  }
  return { architecture, parseConfig, create, fromConfig: (json) => asPlainTree(create(parseConfig(json))) };
}

/**
 * Forgets the type of the parameters. This is the one place that trusts a tree to have the paths that `init` gives:
 * whoever loads a checkpoint compares its keys and shapes with those first.
 */
function asPlainTree<P extends TreeShape<P, Tensor>>(expert: Expert<P>): Expert {
  return expert as unknown as Expert;
}
