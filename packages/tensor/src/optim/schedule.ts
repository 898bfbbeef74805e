// Learning rates as functions of the step. They are tensors, computed on the device: nothing of a step is compiled in.
import { ValueError } from '../errors.js';
import { cos } from '../ops/arithmetic/functions.js';
import { clamp, where } from '../ops/where.js';
import type { Tensor } from '../tensor.js';
import { finite, requireNumbers, wholeFromZero } from './numbers.js';

/** From the updates made so far (f32 [], 0 at the first) to the rate of the next (f32 []). */
export type Schedule = (step: Tensor) => Tensor;

/** Options of {@link constant}. */
export interface ConstantOptions {
  /** The rate grows in a straight line over so many steps first. The first step has rate / warmupSteps. Default 0. */
  readonly warmupSteps?: number;
}

/** The same rate always, after a warm-up. @throws ValueError if it is not finite, or the warm-up not a whole number ≥ 0 */
export function constant(rate: number, { warmupSteps = 0 }: ConstantOptions = {}): Schedule {
  requireNumbers('constant', { rate }, finite);
  requireNumbers('constant', { warmupSteps }, wholeFromZero);
  return (step) => (warmupSteps > 0 ? warmUp(step, warmupSteps).mul(rate) : step.mul(0).add(rate));
}

/**
 * From one rate to another in a straight line over `steps`; the second one from then on.
 * @throws ValueError for rates that are not finite, or steps that are not a whole number ≥ 0
 */
export function linear(from: number, to: number, steps: number): Schedule {
  requireNumbers('linear', { from, to }, finite);
  requireNumbers('linear', { steps }, wholeFromZero);
  const rise = to - from;
  return (step) => progress(step, 0, steps).mul(rise).add(from);
}

/** Options of {@link cosineDecay}. */
export interface CosineDecayOptions {
  /** The rate grows in a straight line over so many steps first. The first step has rate / warmupSteps. Default 0. */
  readonly warmupSteps?: number;
  /** The rate at the end and after it. Default 0. */
  readonly floor?: number;
}

/**
 * Half a cosine from `rate` at the end of the warm-up to `floor` at `steps` (which count from the very start).
 * Loshchilov and Hutter, "SGDR", https://arxiv.org/abs/1608.03983, equation 5, without restarts.
 * @throws ValueError for rates that are not finite, or steps that are not whole numbers ≥ 0
 */
export function cosineDecay(rate: number, steps: number, options: CosineDecayOptions = {}): Schedule {
  const { warmupSteps = 0, floor = 0 } = options;
  requireNumbers('cosineDecay', { rate, floor }, finite);
  requireNumbers('cosineDecay', { steps, warmupSteps }, wholeFromZero);
  const half = (rate - floor) / 2;
  return (step) => {
    const wave = cos(progress(step, warmupSteps, steps).mul(Math.PI)); // of [0, π]: inside what WGSL promises
    const decayed = wave.add(1).mul(half).add(floor);
    if (warmupSteps === 0) return decayed;
    const warmed = decayed.mul(warmUp(step, warmupSteps));
    return steps > warmupSteps ? warmed : where(step.greaterEqual(steps), decayed, warmed);
  };
}

/** A rate that may be a plain number. @throws ValueError if that is not a number ≥ 0 */
export function scheduleOf(rate: number | Schedule): Schedule {
  if (typeof rate === 'number' && !(rate >= 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new ValueError('optimizer', `the learning rate is ${rate}. Give a number from 0 on, or a schedule.`);
  }
  return typeof rate === 'number' ? constant(rate) : rate;
}

/** From 1 / `steps` at the first step to 1. */
function warmUp(step: Tensor, steps: number): Tensor {
  return step.add(1).div(steps).minimum(1);
}

/** How far `step` is from `start` to `end`: 0 before, 1 from the end on, also where that is before the start. */
function progress(step: Tensor, start: number, end: number): Tensor {
  if (end <= start) return step.greaterEqual(end).cast('f32');
  return clamp(step.sub(start).div(end - start), 0, 1);
}
