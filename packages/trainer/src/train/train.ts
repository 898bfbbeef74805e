// The one training loop, for every recipe.
import type { FileStore } from '@paris/files';
import type { Device } from '@paris/tensor';
import { defaultMaxLost } from '../run/default-max-lost.js';
import type { OnTrainEvent } from '../run/events.js';
import type { RunRecord } from '../run/record.js';
import { runTraining } from '../run/run.js';
import { version } from '../version.js';
import { createJob } from './job.js';
import { requireOption } from './options.js';
import type { Recipe } from './recipe.js';
import type { ValidationOptions } from './validation.js';

/** How a training is saved, stopped, begun again and watched. None of it changes the weights. */
export interface RunControls {
  /** Steps between checkpoints; it changes no byte of the result. Default 100, or none if there are minutes. */
  checkpointEvery?: number | undefined;
  /** Minutes between checkpoints. */
  checkpointMinutes?: number | undefined;
  /**
   * Seconds from `signal` until the process is ended: a checkpoint that is expected to take longer is not begun, and the one
   * before stays. Default: it is written, however long that takes.
   */
  graceSeconds?: number | undefined;
  /**
   * Keeps the whole state after every so many steps, and at the end a chain of their hashes, chain.json, which `verifyRun` checks
   * by replaying some of the segments. Each state takes three to four times the space of the weights. Default: none is kept.
   */
  proveEvery?: number | undefined;
  /**
   * The share of the pictures that may be lost with damaged files, from 0 to 1: these are left out from the step at which they are
   * found on, as run.json says. What is lost beyond it ends the training with a checkpoint and a DataError. Default 0.01.
   */
  maxLost?: number | undefined;
  /** Moves an old run aside and begins again. */
  fresh?: boolean;
  /** After so many hours of this process it stops as after `signal`. Default: it does not. */
  maxHours?: number | undefined;
  /** Finishes the step, writes a checkpoint if `graceSeconds` allow it, throws InterruptedError. */
  signal?: AbortSignal;
  /** Measures the loss on held-out pictures on the way. Default: it is not measured. */
  validation?: ValidationOptions | undefined;
  onEvent?: OnTrainEvent;
}

/** Where a training runs, and where its run is kept. */
export interface TrainControls extends RunControls {
  device: Device;
  /** Where run folders are. */
  runs: FileStore;
}

/**
 * Begins the run of a recipe, resumes it, lengthens it, or finds it finished.
 * @throws RunError if the run folder holds another run, or anything that is not of a run; InterruptedError after
 *   `signal`; DivergedError if the loss is not finite
 */
export async function train(recipe: Recipe, controls: TrainControls): Promise<RunRecord> {
  const { device, checkpointMinutes, graceSeconds, maxHours, proveEvery } = controls;
  const { checkpointEvery = checkpointMinutes === undefined ? 100 : undefined } = controls;
  for (const [name, value] of Object.entries({ checkpointEvery, checkpointMinutes, graceSeconds, maxHours })) {
    if (value !== undefined) requireOption(name, value, value > 0, 'a number above 0');
  }
  const { maxLost = defaultMaxLost } = controls;
  requireOption('maxLost', maxLost, maxLost >= 0 && maxLost <= 1, 'a number in [0, 1]');
  const whole = proveEvery === undefined || (Number.isSafeInteger(proveEvery) && proveEvery >= 1);
  if (!whole) requireOption('proveEvery', proveEvery, false, 'a whole number from 1 on');
  const { name, identity, companions } = recipe;
  const { fingerprint, adapter } = device.info;
  return runTraining(async () => createJob(device, recipe, recipe.observers), {
    ...controls,
    ...{ checkpointEvery, name, identity, companions },
    versions: { '@paris/trainer': version },
    adapter: { fingerprint, name: adapter },
    mayLengthen: recipe.training.schedule === 'constant',
  });
}
