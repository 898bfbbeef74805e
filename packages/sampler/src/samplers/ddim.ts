import { checkEta, spanOf, weightedSum } from './exponential.js';
import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * DDIM (arXiv 2010.02502, eq. 12 and 16): x̂₀ and the noise that is left, with a share η of that noise drawn afresh. 0 is
 * deterministic, 1 is DDPM's ancestral sampling. Throws ValueError for an η outside [0, 1]. Written for any path: its σ̂ is
 * η·σ′·√(1 − e^(−2h)). Where x̂₀ was clamped, that noise is what the clamped x̂₀ leaves of x_t, as in OpenAI's guided-diffusion.
 */
export function ddim({ eta = 0 }: { readonly eta?: number } = {}): Sampler {
  checkEta('ddim', eta);
  return samplerOf('ddim', {}, async ({ evaluate, latents, time, nextTime, path, noise }) => {
    const { sample } = await evaluate(latents, time);
    const { alpha, sigma, nextAlpha, nextSigma, decay } = spanOf(path, time, nextTime);
    const fresh = eta * nextSigma * Math.sqrt(1 - decay ** 2);
    const kept = Math.sqrt(nextSigma ** 2 - fresh ** 2) / sigma;
    const next = weightedSum([latents, kept], [sample, nextAlpha - kept * alpha]);
    return { latents: await realise(fresh > 0 ? next.add(noise().mul(fresh)) : next), sample };
  });
}
