// How a training goes, beside what is trained on what. These options decide the bytes of the weights, so run.json keeps
// them and a run goes on only with the same ones.
import { ValueError } from '@paris/tensor';
import type { Precision } from '@paris/tensor/optim';

/** Steps, batch, optimiser, averaging, seed and precision. */
export interface TrainingOptions {
  /** Optimiser steps. */
  steps: number;
  /** Pictures a step. */
  batchSize: number;
  /** Peak learning rate: linear warm-up, then a cosine to zero. */
  learningRate: number;
  warmupSteps: number;
  /** Decoupled weight decay of AdamW; 0 by DiT's convention (arXiv 2212.09748 §4). */
  weightDecay: number;
  /** Gradients are scaled to at most this global norm; 0 does not. */
  clipNorm: number;
  /**
   * Decay of the moving average of the weights, which is what is saved; 0 saves the weights themselves. After n steps
   * the decay is min(emaDecay, (1 + n) / (10 + n)), so that a short run is not an average over its beginning.
   */
  emaDecay: number;
  /** Decides initial weights, batches, times and noise. */
  seed: number;
  /** `mixed-f16` halves the memory of activations, on adapters that have f16; what is saved is f32 all the same. */
  precision: Precision;
}

/** The names of the precisions that a training may have. */
export const precisions: readonly Precision[] = ['f32', 'mixed-f16'];

/** Sized for runs of minutes; for long ones DDM (arXiv 2501.05450 App. B) has 1e-4 without warm-up or decay. */
export const trainingDefaults: TrainingOptions = {
  steps: 1000,
  batchSize: 32,
  learningRate: 1e-3,
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
  const positive = ['steps', 'batchSize'] as const;
  const natural = ['warmupSteps', 'seed'] as const;
  for (const name of positive)
    require(name, options[name], Number.isInteger(options[name]) && options[name] >= 1, 'a whole number from 1 on');
  for (const name of natural)
    require(name, options[name], Number.isInteger(options[name]) && options[name] >= 0, 'a whole number from 0 on');
  for (const name of ['learningRate', 'weightDecay', 'clipNorm'] as const) {
    require(name, options[name], Number.isFinite(options[name]) && options[name] >= 0, 'a number from 0 on');
  }
  require('precision', options.precision, precisions.includes(options.precision), precisions.join(' or '));
  require('emaDecay', options.emaDecay, options.emaDecay >= 0 && options.emaDecay < 1, 'a number in [0, 1)');
  return options;
}

/** The decay of the moving average at the step that comes after `step` steps. */
export function emaDecayAt(emaDecay: number, step: number): number {
  return Math.min(emaDecay, (1 + step) / (10 + step));
}

function require(name: string, value: number | string, holds: boolean, kind: string): void {
  if (!holds) throw new ValueError('train', `${name} must be ${kind}, got ${value}.`);
}
