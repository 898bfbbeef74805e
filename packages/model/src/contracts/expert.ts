// The contract between an expert and everything that trains or samples it. An expert is a config and pure functions;
// its parameters are a plain tree of tensors whose paths are the keys of its safetensors file.
import type { Tensor, TreeOf } from '@paris/tensor';
import type { Prediction } from '../predictions/predictions.js';
import type { Network } from './architecture.js';
import type { PictureShape } from './codec.js';
import type { Condition } from './condition.js';

/** What the network's output means, and the noise path that it was trained on. */
export interface Objective {
  readonly prediction: Prediction;
  /** A noise path's name: `linear`, `cosine`, … */
  readonly path: string;
}

/** What an expert or a router sees: a batch of noisy latents, their times and what they should show. */
export interface NoisyInput {
  /** [B, C, H, W] at time t. */
  readonly latents: Tensor;
  /** f32 [B] in [0, 1]: 0 is data, 1 is noise. */
  readonly time: Tensor;
  /** What an expert's config asks for. A router may read the prompt; those of the released Paris do not. */
  readonly condition?: Condition;
}

/** What an expert or a router may say of its inputs, so that a model whose parts do not fit is refused when it is loaded. */
export interface InputLimits {
  /** The size of latents that it takes. Left out: any. */
  readonly latent?: PictureShape;
  /** How many token ids it embeds: those below this. Left out: it takes none. */
  readonly tokenIds?: number;
}

/** A denoiser over latents, whatever its architecture. */
export interface Expert<P = TreeOf<Tensor>> extends Network<P> {
  readonly objective: Objective;
  /** The prediction, [B, C, H, W]. A learned sigma is split off, see `dropLearnedSigma`. */
  apply(params: P, input: NoisyInput): Tensor;
}
