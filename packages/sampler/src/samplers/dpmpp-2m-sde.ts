import { hostPow } from '@paris/tensor';
import { checkEta, halfRatio, spanOf, weightedSum } from './exponential.js';
import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * DPM-Solver++(2M) for the diffusion SDE (arXiv 2211.01095, §5; k-diffusion's `sample_dpmpp_2m_sde` with the midpoint rule):
 * `eta` 1 is the reverse SDE, 0 the ODE of `dpmpp2m`. Throws ValueError for an `eta` outside [0, 1].
 */
export function dpmpp2mSde({ eta = 1 }: { readonly eta?: number } = {}): Sampler {
  checkEta('dpmpp-2m-sde', eta);
  return samplerOf('dpmpp-2m-sde', { history: 1 }, async (at) => {
    const { evaluate, latents, time, nextTime, path, earlier, noise } = at;
    const { sample } = await evaluate(latents, time);
    const span = spanOf(path, time, nextTime);
    const { sigma, nextAlpha, nextSigma, decay } = span;
    const [before] = earlier;
    const change = halfRatio(span, before && spanOf(path, before.time, time));
    const lost = hostPow(decay, eta); // e^(−ηh): what the SDE forgets beyond the ODE
    const gain = nextAlpha * (1 - decay * lost);
    const fresh = nextSigma * Math.sqrt(1 - lost * lost);
    let next = weightedSum([latents, (nextSigma / sigma) * lost], [sample, gain * (1 + change)]);
    if (before) next = next.add(before.sample.mul(-gain * change));
    return { latents: await realise(fresh > 0 ? next.add(noise().mul(fresh)) : next), sample };
  });
}
