// What solvers in log-SNR share. With λ = ln(α/σ) the flow is x_t′ = (σ′/σ)·x + α′·∫ e^(λ_s − λ′) x̂₀(s) dλ_s (DPM-Solver++,
// arXiv 2211.01095, eq. 8), on every path and for every prediction. All is written with e^(−h), h = λ′ − λ, which is finite at
// both ends: from t = 1, where λ = −∞, it is 0, and so it is to t = 0.
import type { NoisePath } from '@paris/model';
import { hostLog, ValueError } from '@paris/tensor';
import type { Latents } from './sampler.js';

/** From a time to the next one, in the terms of the exponential integrator. */
export interface Span {
  /** α and σ at both ends. */
  readonly alpha: number;
  readonly sigma: number;
  readonly nextAlpha: number;
  readonly nextSigma: number;
  /** e^(−h): how much of the noise-to-signal ratio is left. In [0, 1). */
  readonly decay: number;
}

/** The span between two times of a path, of which the first is above 0 and the second below 1. */
export function spanOf(path: NoisePath, time: number, nextTime: number): Span {
  const [alpha, sigma] = [path.alpha(time), path.sigma(time)];
  const [nextAlpha, nextSigma] = [path.alpha(nextTime), path.sigma(nextTime)];
  return { alpha, sigma, nextAlpha, nextSigma, decay: (alpha * nextSigma) / (nextAlpha * sigma) };
}

/** h = λ′ − λ; infinite where the span begins at t = 1 or ends at t = 0. */
export function widthOf({ decay }: Span): number {
  return -hostLog(decay);
}

/** A sum of latents with factors: lazy. */
export function weightedSum<L extends Latents<L>>(
  first: readonly [L, number],
  ...others: readonly (readonly [L, number])[]
): L {
  return others.reduce((sum, [latents, factor]) => sum.add(latents.mul(factor)), first[0].mul(first[1]));
}

/** How fast x̂₀ changed over the last step for each unit of this one's width, (h / h₋) / 2: 0 where one of them is infinite. */
export function halfRatio(span: Span, before: Span | undefined): number {
  if (!before || span.decay === 0 || before.decay === 0) return 0;
  return widthOf(span) / widthOf(before) / 2;
}

/** @throws ValueError for a share η of fresh noise outside [0, 1] */
export function checkEta(sampler: string, eta: number): void {
  if (!(eta >= 0 && eta <= 1)) throw new ValueError(sampler, `eta is ${eta}. Give a share of fresh noise from 0 to 1.`);
}
