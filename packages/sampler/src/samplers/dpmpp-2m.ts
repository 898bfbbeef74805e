import { halfRatio, spanOf, weightedSum } from './exponential.js';
import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * DPM-Solver++(2M), arXiv 2211.01095, algorithm 2: x̂₀ carried on as it changed over the last step. One evaluation a step,
 * error O(h²) in λ. Steps from t = 1 and to t = 0 are of first order: there λ is infinite.
 */
export const dpmpp2m: Sampler = samplerOf('dpmpp-2m', { history: 1 }, async (at) => {
  const { evaluate, latents, time, nextTime, path, earlier } = at;
  const { sample } = await evaluate(latents, time);
  const { sigma, nextAlpha, nextSigma, decay } = spanOf(path, time, nextTime);
  const [before] = earlier;
  const change = halfRatio(spanOf(path, time, nextTime), before && spanOf(path, before.time, time));
  const gain = nextAlpha * (1 - decay);
  const next = weightedSum([latents, nextSigma / sigma], [sample, gain * (1 + change)]);
  return { latents: await realise(before ? next.add(before.sample.mul(-gain * change)) : next), sample };
});
