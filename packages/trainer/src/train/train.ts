// The one training loop: of a recipe, whatever it is of.
import type { FileStore } from '@paris/files';
import type { Device } from '@paris/tensor';
import type { OnTrainEvent } from '../run/events.js';
import type { RunRecord } from '../run/record.js';
import { runTraining } from '../run/run.js';
import { version } from '../version.js';
import { createJob } from './job.js';
import type { Recipe } from './recipe.js';

/** How a training is saved, stopped, begun again and watched. None of it changes the weights. */
export interface RunControls {
  /** Steps between checkpoints; it changes no byte of the result. Default 100. */
  checkpointEvery?: number;
  /** Moves an old run aside and begins again. */
  fresh?: boolean;
  /** Finishes the step, writes a checkpoint, throws InterruptedError. */
  signal?: AbortSignal;
  onEvent?: OnTrainEvent;
}

/** Where a training runs, and where its run is kept. */
export interface TrainControls extends RunControls {
  device: Device;
  /** Where run folders are. */
  runs: FileStore;
}

/**
 * Begins the run of a recipe, resumes it, or finds it finished.
 * @throws RunError if the run folder holds another run, or anything that is not of a run; InterruptedError after
 *   `signal`; DivergedError if the loss is not finite
 */
export async function train(recipe: Recipe, controls: TrainControls): Promise<RunRecord> {
  const { device, runs, checkpointEvery = 100, fresh, signal, onEvent } = controls;
  const { name, identity, companions } = recipe;
  const { fingerprint, adapter } = device.info;
  return runTraining(async () => createJob(device, recipe), {
    ...{ runs, name, identity, companions, checkpointEvery, fresh, signal, onEvent },
    versions: { '@paris/trainer': version },
    adapter: { fingerprint, name: adapter },
  });
}
