import { weightedSum } from './exponential.js';
import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * The two-step Adams–Bashforth method for steps of any length (Hairer, Nørsett and Wanner, Solving Ordinary Differential
 * Equations I, §III.5): Euler's step with a velocity carried on as it changed over the last one. One evaluation a step, error
 * O(h²).
 */
export const adamsBashforth: Sampler = samplerOf('adams-bashforth', { history: 1 }, async (at) => {
  const { evaluate, latents, time, nextTime, earlier } = at;
  const { sample, velocity } = await evaluate(latents, time);
  const step = nextTime - time;
  const [before] = earlier;
  if (!before) return { latents: await realise(latents.add(velocity.mul(step))), sample };
  const half = step / (time - before.time) / 2;
  const next = weightedSum([latents, 1], [velocity, step * (1 + half)], [before.velocity, -step * half]);
  return { latents: await realise(next), sample };
});
