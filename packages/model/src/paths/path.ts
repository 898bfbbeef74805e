/** Noise paths: how much data and how much noise there is at each time. */
import { hostLog, ValueError } from '@paris/tensor/host';

/**
 * x_t = α(t)·x₀ + σ(t)·ε with ε ~ N(0, 1); t = 0 is data, t = 1 is noise (arXiv 2501.05450 §3). Plain functions of a
 * number: training draws its times on the host and passes α, σ, α′, σ′ to the device as inputs.
 */
export interface NoisePath {
  readonly name: string;
  /** α(t), the share of data: 1 at t = 0. */
  alpha(t: number): number;
  /** σ(t), the share of noise: 0 at t = 0. */
  sigma(t: number): number;
  /** dα/dt */
  alphaPrime(t: number): number;
  /** dσ/dt */
  sigmaPrime(t: number): number;
  /** The time at which ln(α²/σ²) = l; +∞ gives 0, −∞ gives 1. */
  timeAtLogSnr(l: number): number;
}

/** λ(t) = ln(α²/σ²): +∞ at t = 0, −∞ at t = 1. */
export function logSnr(path: NoisePath, t: number): number {
  return 2 * (hostLog(path.alpha(t)) - hostLog(path.sigma(t)));
}

/**
 * A path by its name.
 * @throws ValueError for an unknown name, with the known ones
 */
export function findPath(name: string, paths: readonly NoisePath[]): NoisePath {
  const found = paths.find((path) => path.name === name);
  if (found) return found;
  const known = [...new Set(paths.map((path) => `"${path.name}"`))].join(', ');
  throw new ValueError('noisePath', `no noise path is called "${name}". Known: ${known}. Pass yours as paths: [mine].`);
}
