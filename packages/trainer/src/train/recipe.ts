// What a training is: an expert, a router, or whatever else learns from pictures is a recipe, and `train` carries it out.
import type { Params } from '@paris/model';
import type { FloatDType, Key, Tensor, TensorKey } from '@paris/tensor';
import type { Companions } from '../run/claim.js';
import type { RunIdentity } from '../run/record.js';
import type { TrainingOptions } from './options.js';

/** Tensors of a batch, by name. */
export type Batch = { [name: string]: Tensor };

/** A tensor before it is on the device. */
export interface HostTensor {
  data: Float32Array | Uint32Array;
  shape: readonly number[];
}

/** A batch before it is on the device, and the key of its noise. */
export interface HostBatch {
  tensors: { [name: string]: HostTensor };
  noise: Key;
}

/** What is learned, and from what. */
export interface Learning {
  readonly training: TrainingOptions;
  readonly initKey: Key;
  /** The parameters before the first step, by path; traced. */
  init(key: Key | TensorKey): Params;
  /** Parameters that start from these values instead. */
  readonly initial?: { [path: string]: HostTensor } | undefined;
  /**
   * The batch of the step that comes after `step` steps: a pure function of it, however often and in whatever order it is
   * asked. Several batches of one step (gradients that add up) or batches of held-out pictures (a loss without gradient) ask
   * here as well.
   */
  batch(step: number): Promise<HostBatch>;
  /**
   * Traced once. Parameters come in `dtype`, in which the network is to compute; the loss is f32. It knows nothing of
   * gradients and optimisers: what only measures calls it, too.
   */
  loss(params: Params, batch: Batch, noise: TensorKey, dtype: FloatDType): { loss: Tensor; accuracy?: Tensor };
}

/** A training as a whole: what is learned, and the run that it becomes. */
export interface Recipe extends Learning {
  /** The run's folder in that of the runs: `expert-03`, `router`. */
  readonly name: string;
  /** Everything that decides the bytes of the weights: it is in run.json, and another one is another run. */
  readonly identity: RunIdentity;
  /** Files that the run carries so that it can be resumed and assembled by itself. */
  readonly companions: Companions;
}
