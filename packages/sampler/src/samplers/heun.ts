import { realise, type Sampler, samplerOf } from './sampler.js';

/**
 * Heun's method: an Euler step, then the mean of both ends' velocities. Two evaluations a step, error O(h²). The step
 * that ends at 0 is Euler's: there is no noise left to tell anything about (arXiv 2206.00364, algorithm 1).
 */
export const heun: Sampler = samplerOf('heun', {}, async ({ evaluate, latents, time, nextTime }) => {
  const step = nextTime - time;
  const { sample, velocity } = await evaluate(latents, time);
  const predicted = await realise(latents.add(velocity.mul(step)));
  if (nextTime === 0) return { latents: predicted, sample };
  try {
    const { velocity: corrected } = await evaluate(predicted, nextTime);
    const mean = velocity.mul(step / 2).add(corrected.mul(step / 2));
    return { latents: await realise(latents.add(mean)), sample };
  } finally {
    predicted.dispose();
  }
});
