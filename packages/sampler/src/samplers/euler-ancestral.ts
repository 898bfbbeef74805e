import { logSnr } from '@paris/model';
import { weightedSum } from './exponential.js';
import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * Euler's method to a time with less noise than the next one, and fresh noise up to it (k-diffusion's
 * `sample_euler_ancestral`): σ_down = σ′²/σ in units of α, which is ln(α/σ) going down twice as far. On the linear path this is
 * DDPM's ancestral sampling; on any path, the right amount of noise.
 */
export const eulerAncestral: Sampler = samplerOf('euler-ancestral', {}, async (at) => {
  const { evaluate, latents, time, nextTime, path, noise } = at;
  const { sample, velocity } = await evaluate(latents, time);
  const down = path.timeAtLogSnr(2 * logSnr(path, nextTime) - logSnr(path, time));
  const scale = path.alpha(nextTime) / path.alpha(down);
  const fresh = Math.sqrt(Math.max(0, path.sigma(nextTime) ** 2 - (scale * path.sigma(down)) ** 2));
  const next = weightedSum([latents, scale], [velocity, scale * (down - time)]);
  return { latents: await realise(fresh > 0 ? next.add(noise().mul(fresh)) : next), sample };
});
