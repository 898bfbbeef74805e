import type { NoisePath } from '@paris/model';
import { halfRatio, type Span, spanOf, weightedSum, widthOf } from './exponential.js';
import { type EarlierStep, type Latents, realise, type Sampler, samplerOf } from './sampler.js';

/**
 * UniPC of order 2 with B(h) = e^h − 1 (arXiv 2302.04867, algorithms 1 and 2, data prediction): the predictor is that of
 * DPM-Solver++(2M); what the model then says at the predicted point corrects the step that led there, at no further
 * evaluation. Error O(h³) in λ between the ends; steps from t = 1 and to t = 0 are of first order.
 */
export const unipc: Sampler = samplerOf('unipc', { history: 2 }, async (at) => {
  const { evaluate, time, nextTime, path, earlier } = at;
  const { sample } = await evaluate(at.latents, time);
  const [before, twoBefore] = earlier;
  const latents = before ? corrected(at.latents, { time, sample }, before, twoBefore, path) : at.latents;

  const span = spanOf(path, time, nextTime);
  const change = halfRatio(span, before && spanOf(path, before.time, time));
  const gain = span.nextAlpha * (1 - span.decay);
  const next = weightedSum([latents, span.nextSigma / span.sigma], [sample, gain * (1 + change)]);
  return { latents: await realise(before ? next.add(before.sample.mul(-gain * change)) : next), sample };
});

/**
 * UniC: the step that led to `latents` again, with x̂₀ at its end known. Both are the same multiple of the old latents and of
 * x̂₀ at its beginning, so the correction is a sum of differences of x̂₀.
 */
function corrected<L extends Latents<L>>(
  latents: L,
  now: { readonly time: number; readonly sample: L },
  before: EarlierStep<L>,
  twoBefore: EarlierStep<L> | undefined,
  path: NoisePath,
): L {
  const span = spanOf(path, before.time, now.time);
  const gain = span.nextAlpha * (1 - span.decay);
  const previous = twoBefore && spanOf(path, twoBefore.time, before.time);
  const predicted = halfRatio(span, previous); // of (m₀ − m₁), as the predictor had it
  const { past, present } = weights(span, previous);
  const difference = weightedSum([now.sample, gain * present], [before.sample, -gain * present]);
  if (!twoBefore) return latents.add(difference);
  const more = gain * (past - predicted);
  return latents.add(difference).add(before.sample.mul(more)).add(twoBefore.sample.mul(-more));
}

/** What counts of m₀ − m₁ and of m_t − m₀ (eq. 12 and 15 with rk = −h₋/h). Without a step before: one half, as in order 1. */
function weights(span: Span, previous: Span | undefined): { readonly past: number; readonly present: number } {
  if (!previous) return { past: 0, present: 0.5 };
  const h = widthOf(span);
  const phi1 = span.decay - 1; // B(h) of −h
  const phi2 = (span.decay === 0 ? 0 : phi1 / -h) - 1;
  const phi3 = (span.decay === 0 ? 0 : phi2 / -h) - 0.5;
  const [b1, b2] = [phi2 / phi1, (2 * phi3) / phi1];
  if (previous.decay === 0) return { past: 0, present: b1 };
  const ratio = widthOf(previous) / h;
  const first = (b1 - b2) / (1 + ratio);
  return { past: first / ratio, present: b1 - first };
}
