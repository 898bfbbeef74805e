// What a training is: an expert, a router, or anything else that learns from pictures is a recipe, and `train` runs it.
import type { Params } from '@paris/model';
import type { FloatDType, Key, Tensor, TensorKey } from '@paris/tensor';
import type { ShardFile } from '../data/formats.js';
import type { LostAtStep } from '../data/lost.js';
import type { Companions } from '../run/claim.js';
import type { Observer } from '../run/observer.js';
import type { RunIdentity } from '../run/record.js';
import type { TrainingOptions } from './options.js';

/** Tensors of a batch, by name. */
export type Batch = { [name: string]: Tensor };

/** A tensor before it is on the device; bytes are bool. */
export interface HostTensor {
  data: Float32Array | Uint32Array | Uint8Array;
  shape: readonly number[];
}

/** A batch before it is on the device, and the key of its noise. */
export interface HostBatch {
  /** The first axis of each tensor is the batch's pictures. */
  tensors: { [name: string]: HostTensor };
  noise: Key;
  /** Pictures that are others than those whose turn it was, which are lost. Default 0. */
  replaced?: number | undefined;
}

/**
 * Traced: the noise of a batch. Standard normal numbers of a shape whose first axis is the batch's pictures; the same numbers
 * for a picture whether the batch is computed as a whole or in parts.
 */
export type BatchNoise = (shape: readonly number[]) => Tensor;

/** What is learned, and from what. */
export interface Learning {
  readonly training: TrainingOptions;
  readonly initKey: Key;
  /** The files of the records that are learned from, where there are several: one that is damaged may be left out. */
  readonly shards?: readonly ShardFile[] | undefined;
  /** The parameters before the first step, by path; traced. */
  init(key: Key | TensorKey): Params;
  /** Parameters that start from these values instead. */
  readonly initial?: { [path: string]: HostTensor } | undefined;
  /**
   * The batch of the step that comes after `step` steps: a pure function of it and of what is lost by then, however often and in
   * whatever order it is asked.
   * @throws DamagedShardError if a file of records that are not lost is not what was written
   */
  batch(step: number, lost?: LostAtStep): Promise<HostBatch>;
  /**
   * Traced once. Parameters come in `dtype`, in which the network is to compute; loss and accuracy are means over the batch's
   * pictures in f32. It knows nothing of gradients and optimizers: what only measures calls it, too.
   */
  loss(params: Params, batch: Batch, noise: BatchNoise, dtype: FloatDType): { loss: Tensor; accuracy?: Tensor };
}

/** A training as a whole: what is learned, and the run that it becomes. */
export interface Recipe extends Learning {
  /** The run's folder in that of the runs: `expert-03`, `router`. */
  readonly name: string;
  /** Everything that decides the bytes of the weights: it is in run.json, and another one is another run. */
  readonly identity: RunIdentity;
  /** Files that the run carries so that it can be resumed and assembled by itself. */
  readonly companions: Companions;
  /** What looks at the weights on the way, and changes nothing of them. */
  readonly observers?: readonly Observer<Params>[];
}
