// Schedules by the names that diffusers and ComfyUI have for them. σ̃ = σ/α is what those libraries call sigma.
import { logSnr, type NoisePath } from '@paris/model';
import { hostAtan, hostCos, hostExp, hostLog, hostPow, hostSin, ValueError } from '@paris/tensor';
import { alignYourSteps } from './align-your-steps.js';
import { betaQuantile } from './beta-quantile.js';
import { type ScheduleName, scheduleName } from './names.js';
import { shiftLogSnr, uniformTimes } from './schedules.js';

/** Which times to visit in so many steps on a path: 1 first, 0 last. */
export type Schedule = (steps: number, path: NoisePath) => Float64Array;

/** Between which σ̃ = σ/α a schedule in σ̃ lies; the first time is 1 and the last one 0 all the same. */
export interface SigmaRange {
  /** Default 0.01. */
  readonly sigmaMin?: number;
  /** Default 80, at which a path is noise but for a hundredth. */
  readonly sigmaMax?: number;
}

/**
 * σ̃^(1/ρ) in even steps (Karras et al., arXiv 2206.00364, eq. 5): the larger ρ, the more steps where there is little noise.
 * Default 7.
 * @throws ValueError for numbers that are none; when it is asked, for those whose times do not fall
 */
export function karras({ rho = 7, ...range }: SigmaRange & { readonly rho?: number } = {}): Schedule {
  require('karras', 'rho', rho, rho > 0);
  return inSigmas('karras', range, { rho }, (share, low, high) => {
    const [a, b] = [hostPow(high, 1 / rho), hostPow(low, 1 / rho)];
    return hostPow(a + share * (b - a), rho);
  });
}

/** ln σ̃ in even steps (k-diffusion's `get_sigmas_exponential`). */
export function exponential(range: SigmaRange = {}): Schedule {
  return inSigmas('exponential', range, {}, (share, low, high) => high * hostPow(low / high, share));
}

/**
 * Times at even quantiles of a Beta distribution (arXiv 2407.12173): below 1, α and β spend more steps at both ends. Default
 * 0.6 each, as there.
 */
export function beta({ alpha = 0.6, beta = 0.6 }: { readonly alpha?: number; readonly beta?: number } = {}): Schedule {
  require('beta', 'alpha', alpha, alpha > 0);
  require('beta', 'beta', beta, beta > 0);
  return falling('beta', { alpha, beta }, (steps) =>
    uniformTimes(steps).map((quantile) => betaQuantile(quantile, Math.min(alpha, 1e300), Math.min(beta, 1e300))),
  );
}

/**
 * arctan σ̃ in even steps: what "Align Your Steps" (arXiv 2404.14507, theorem 3.1) finds best for Gaussian data of unit variance.
 * On the cosine path these are even steps in time.
 */
export function klOptimal(range: SigmaRange = {}): Schedule {
  return inSigmas('klOptimal', range, {}, (share, low, high) => {
    const angle = hostAtan(high) + share * (hostAtan(low) - hostAtan(high));
    return hostSin(angle) / hostCos(angle);
  });
}

/**
 * A schedule with more steps where there is much noise, as large pictures need it: t′ = s·t / (1 + (s − 1)·t) on the linear path
 * (arXiv 2403.03206, eq. 23), and on others what `shiftLogSnr` makes of −2·ln s. diffusers and ComfyUI call s `shift`.
 * @param shift - 1 changes nothing; 3 is usual for large pictures
 * @throws ValueError unless `shift` is a number above 0
 */
export function shifted(schedule: Schedule, shift: number): Schedule {
  require('shifted', 'shift', shift, shift > 0);
  return (steps, path) => shiftLogSnr(path, schedule(steps, path), -2 * hostLog(shift));
}

/** The schedules by name. `simple` and `sgm-uniform` are even steps where time has no grid, as here. */
export const schedules: {
  readonly uniform: Schedule;
  readonly simple: Schedule;
  readonly 'sgm-uniform': Schedule;
  readonly karras: Schedule;
  readonly exponential: Schedule;
  readonly beta: Schedule;
  readonly 'kl-optimal': Schedule;
  readonly 'align-your-steps': Schedule;
  readonly 'align-your-steps-sdxl': Schedule;
  readonly 'align-your-steps-svd': Schedule;
} = {
  uniform: uniformTimes,
  simple: uniformTimes,
  'sgm-uniform': uniformTimes,
  karras: karras(),
  exponential: exponential(),
  beta: beta(),
  'kl-optimal': klOptimal(),
  'align-your-steps': alignYourSteps('sd15'),
  'align-your-steps-sdxl': alignYourSteps('sdxl'),
  'align-your-steps-svd': alignYourSteps('svd'),
} satisfies Readonly<Record<ScheduleName, Schedule>>;

/**
 * A schedule by its name, or one that another program has for it.
 * @throws ValueError for an unknown name, with the known ones
 */
export function scheduleByName(name: string): Schedule {
  return schedules[scheduleName(name)];
}

/** `steps` values of σ̃ from high to low, then 0. The first is noise alone, as the latents are that sampling begins with. */
function inSigmas(
  tag: string,
  { sigmaMin = 0.01, sigmaMax = 80 }: SigmaRange,
  more: Readonly<Record<string, number>>,
  sigmaOf: (share: number, low: number, high: number) => number,
): Schedule {
  require(tag, 'sigmaMin', sigmaMin, sigmaMin > 0);
  require(tag, 'sigmaMax', sigmaMax, sigmaMax > sigmaMin);
  return falling(tag, { ...more, sigmaMin, sigmaMax }, (steps, path) => {
    // Paths of other people end before pure noise, at a σ̃ of 14 or so: beyond it there is no time.
    const high = Math.min(sigmaMax, sigmaAt(path, 1));
    return uniformTimes(steps).map((time, i) => {
      if (i === 0 || i === steps) return time;
      return path.timeAtLogSnr(-2 * hostLog(sigmaOf(i / (steps - 1), sigmaMin, high)));
    });
  });
}

/** The schedule, but that numbers with which times are NaN, or stand still by rounding, are said to be the cause. */
function falling(tag: string, numbers: Readonly<Record<string, number>>, schedule: Schedule): Schedule {
  return (steps, path) => {
    const times = schedule(steps, path);
    if (times.every((t, i) => i === 0 || t < times[i - 1]!)) return times;
    const given = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
    throw new ValueError(
      tag,
      `the times of ${steps} steps do not fall with ${given.join(', ')}. Give less extreme numbers.`,
    );
  };
}

/** σ/α at a time: what other libraries call sigma. Infinite at t = 1. */
export function sigmaAt(path: NoisePath, t: number): number {
  return hostExp(-logSnr(path, t) / 2);
}

function require(tag: string, name: string, value: number, holds: boolean): void {
  if (!(holds && Number.isFinite(value)))
    throw new ValueError(tag, `${name} is ${value}. Give a larger, finite number.`);
}
