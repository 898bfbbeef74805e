import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * The explicit Euler method: x ← x + (t′ − t)·v(x, t). One evaluation a step, error O(h). What Paris is sampled with
 * (arXiv 2403.03206 calls it rectified-flow Euler).
 */
export const euler: Sampler = samplerOf('euler', {}, async ({ evaluate, latents, time, nextTime }) => {
  const { sample, velocity } = await evaluate(latents, time);
  return { latents: await realise(latents.add(velocity.mul(nextTime - time))), sample };
});
