// Schedules by the names that diffusers and ComfyUI have for them. σ̃ = σ/α is what those libraries call sigma.
import { logSnr, type NoisePath } from '@paris/model';
import { ValueError } from '@paris/tensor';
import { betaQuantile } from './beta-quantile.js';
import { uniformTimes } from './schedules.js';

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
 */
export function karras({ rho = 7, ...range }: SigmaRange & { readonly rho?: number } = {}): Schedule {
  require('karras', 'rho', rho, rho > 0);
  return inSigmas('karras', range, (share, low, high) => {
    return (high ** (1 / rho) + share * (low ** (1 / rho) - high ** (1 / rho))) ** rho;
  });
}

/** ln σ̃ in even steps (k-diffusion's `get_sigmas_exponential`). */
export function exponential(range: SigmaRange = {}): Schedule {
  return inSigmas('exponential', range, (share, low, high) => high * (low / high) ** share);
}

/**
 * Times at even quantiles of a Beta distribution (arXiv 2407.12173): below 1, α and β spend more steps at both ends. Default
 * 0.6 each, as there.
 */
export function beta({ alpha = 0.6, beta = 0.6 }: { readonly alpha?: number; readonly beta?: number } = {}): Schedule {
  require('beta', 'alpha', alpha, alpha > 0);
  require('beta', 'beta', beta, beta > 0);
  return (steps) => uniformTimes(steps).map((quantile) => betaQuantile(quantile, alpha, beta));
}

/** The schedules by name. `simple` and `sgm-uniform` are even steps where time has no grid, as here. */
export const schedules: {
  readonly uniform: Schedule;
  readonly simple: Schedule;
  readonly 'sgm-uniform': Schedule;
  readonly karras: Schedule;
  readonly exponential: Schedule;
  readonly beta: Schedule;
} = {
  uniform: uniformTimes,
  simple: uniformTimes,
  'sgm-uniform': uniformTimes,
  karras: karras(),
  exponential: exponential(),
  beta: beta(),
};

/**
 * A schedule by its name; `sgm_uniform`, as ComfyUI writes it, is one, too.
 * @throws ValueError for an unknown name, with the known ones
 */
export function scheduleByName(name: string): Schedule {
  const own = name.replaceAll('_', '-');
  if (Object.hasOwn(schedules, own)) return schedules[own as keyof typeof schedules];
  const known = Object.keys(schedules).join(', ');
  throw new ValueError('schedule', `no schedule is called "${name}". Known: ${known}. Or pass a function of your own.`);
}

/** `steps` values of σ̃ from high to low, then 0. The first is noise alone, as the latents are that sampling begins with. */
function inSigmas(
  tag: string,
  { sigmaMin = 0.01, sigmaMax = 80 }: SigmaRange,
  sigmaAt: (share: number, low: number, high: number) => number,
): Schedule {
  require(tag, 'sigmaMin', sigmaMin, sigmaMin > 0);
  require(tag, 'sigmaMax', sigmaMax, sigmaMax > sigmaMin);
  return (steps, path) =>
    uniformTimes(steps).map((_, i) => {
      if (i === 0) return 1;
      if (i === steps) return 0;
      return path.timeAtLogSnr(-2 * Math.log(sigmaAt(i / (steps - 1), sigmaMin, sigmaMax)));
    });
}

/** σ/α at a time: what other libraries call sigma. Infinite at t = 1. */
export function sigmaAt(path: NoisePath, t: number): number {
  return Math.exp(-logSnr(path, t) / 2);
}

function require(tag: string, name: string, value: number, holds: boolean): void {
  if (!(holds && Number.isFinite(value)))
    throw new ValueError(tag, `${name} is ${value}. Give a larger, finite number.`);
}
