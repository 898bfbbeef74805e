// How a training runs, apart from what is trained on what. These options decide the bytes of the weights, so run.json keeps
// them and a run resumes only with the same ones.
import { ValueError } from '@paris/files';
import type { Precision } from '@paris/tensor/optim';
import type { Json } from '../run/record.js';

/** Steps, batch, optimiser, averaging, seed and precision. */
export interface TrainingOptions {
  /** Optimiser steps. */
  steps: number;
  /** Pictures a step. */
  batchSize: number;
  /**
   * Equal parts in which a step computes its batch, one after another: activations take the memory of one part, and the step is
   * that of the whole batch to rounding (gradients are summed in f32). It divides `batchSize`. Default 1.
   */
  accumulate: number;
  /** Peak learning rate, after a linear warm-up. */
  learningRate: number;
  /**
   * What follows the warm-up: a cosine to zero at the last step, or the same rate to the end. A run with a constant rate may be
   * lengthened: more `steps` on it continue from its last step, and end with the bytes of a run of that length.
   */
  schedule: LearningRateSchedule;
  warmupSteps: number;
  /** Decoupled weight decay of AdamW; 0 by DiT's convention (arXiv 2212.09748 §4). */
  weightDecay: number;
  /** Gradients are scaled to at most this global norm; 0 does not. */
  clipNorm: number;
  /**
   * Decay of the moving average of the weights, which is what is saved; 0 saves the weights themselves. After n steps
   * the decay is min(emaDecay, (1 + n) / (10 + n)), so that a short run is not an average over its beginning. Of several
   * decays, the first is that of what is saved, and each other one is saved next to it (`model-ema-0.999.safetensors`).
   */
  emaDecay: number | readonly number[];
  /** Decides initial weights, batches, times and noise. */
  seed: number;
  /** `mixed-f16` halves the memory of activations, on adapters that have f16; what is saved is f32 all the same. */
  precision: Precision;
}

/** How the learning rate goes after the warm-up. */
export type LearningRateSchedule = 'cosine' | 'constant';

/** The names of the schedules that a training may have. */
export const learningRateSchedules: readonly LearningRateSchedule[] = ['cosine', 'constant'];

/** The names of the precisions that a training may have. */
export const precisions: readonly Precision[] = ['f32', 'mixed-f16'];

/** Sized for runs of minutes; for long ones DDM (arXiv 2501.05450 App. B) has 1e-4 without warm-up or decay. */
export const trainingDefaults: TrainingOptions = {
  steps: 1000,
  batchSize: 32,
  accumulate: 1,
  learningRate: 1e-3,
  schedule: 'cosine',
  warmupSteps: 20,
  weightDecay: 0,
  clipNorm: 1,
  emaDecay: 0.9999,
  seed: 0,
  precision: 'f32',
};

/** Fills in the defaults. @throws ValueError for a number out of its range */
export function trainingOptions(given: Partial<TrainingOptions>): TrainingOptions {
  const options = { ...trainingDefaults, ...given };
  const positive = ['steps', 'batchSize', 'accumulate'] as const;
  const natural = ['warmupSteps', 'seed'] as const;
  for (const name of positive)
    requireOption(
      name,
      options[name],
      Number.isSafeInteger(options[name]) && options[name] >= 1,
      'a whole number from 1 on',
    );
  for (const name of natural)
    requireOption(
      name,
      options[name],
      Number.isSafeInteger(options[name]) && options[name] >= 0,
      'a whole number from 0 on',
    );
  for (const name of ['learningRate', 'weightDecay', 'clipNorm'] as const) {
    requireOption(name, options[name], Number.isFinite(options[name]) && options[name] >= 0, 'a number from 0 on');
  }
  const { schedule, batchSize, accumulate } = options;
  requireOption('accumulate', accumulate, batchSize % accumulate === 0, `a divisor of batchSize (${batchSize})`);
  requireOption('schedule', schedule, learningRateSchedules.includes(schedule), learningRateSchedules.join(' or '));
  requireOption('precision', options.precision, precisions.includes(options.precision), precisions.join(' or '));
  return { ...options, emaDecay: checkDecays(options.emaDecay) };
}

/** One decay as a number, several as a list. @throws ValueError for what are no decays */
function checkDecays(emaDecay: TrainingOptions['emaDecay']): TrainingOptions['emaDecay'] {
  const decays = typeof emaDecay === 'number' ? [emaDecay] : emaDecay;
  for (const decay of decays) requireOption('emaDecay', decay, decay >= 0 && decay < 1, 'a number in [0, 1)');
  if (decays.length === 1) return decays[0]!;
  const sound = decays.length > 0 && new Set(decays).size === decays.length && !decays.includes(0);
  requireOption('emaDecay', `[${decays.join(', ')}]`, sound, 'a number, or several above 0, each once');
  return decays;
}

/** The decays of the moving averages that a training keeps: none for 0, which keeps none. */
export function emaDecaysOf({ emaDecay }: Pick<TrainingOptions, 'emaDecay'>): number[] {
  return (typeof emaDecay === 'number' ? [emaDecay] : [...emaDecay]).filter((decay) => decay !== 0);
}

/** The file of a further moving average in a run's folder. */
export function averageFile(decay: number): string {
  return `model-ema-${decay}.safetensors`;
}

/** What run.json says of them. Options that are newer than the first runs are only in it where they are not the default. */
export function recordedOptions(options: TrainingOptions): { [name: string]: Json } {
  const { schedule, accumulate, ...always } = options;
  const emaDecay = typeof options.emaDecay === 'number' ? options.emaDecay : [...options.emaDecay];
  return {
    ...always,
    emaDecay,
    ...(schedule !== 'cosine' && { schedule }),
    ...(accumulate !== 1 && { accumulate }),
  };
}

/** The share of pictures trained on without their caption. @throws ValueError for what is no share */
export function checkConditionDropout(share: number): void {
  requireOption('conditionDropout', share, share >= 0 && share <= 1, 'a number in [0, 1]');
}

/** The decay of the moving average at the step that comes after `step` steps. */
export function emaDecayAt(emaDecay: number, step: number): number {
  return Math.min(emaDecay, (1 + step) / (10 + step));
}

/** @throws ValueError that says what an option must be, unless that holds */
export function requireOption(name: string, value: number | string, holds: boolean, kind: string): void {
  if (!holds) throw new ValueError('train', `${name} must be ${kind}, got ${value}.`);
}
