import type { Device, Tensor } from '@paris/tensor';
import type { Denoised, Denoiser } from '../samplers/sampler.js';

/**
 * Between two denoisers: (1 − w)·v_a + w·v_b, w for each picture, and x̂₀ likewise. For two prompts this works for every kind of
 * condition, word ids too, which have nothing in between (composition of scores, arXiv 2206.01714, eq. 8).
 */
export function mixDenoisers(
  device: Device,
): (from: Denoiser, to: Denoiser, amounts: readonly number[], owned: { dispose(): void }[]) => Denoiser {
  const mix = device.compile((a: Denoised, b: Denoised, share: Tensor): Denoised => {
    const between = (x: Tensor, y: Tensor) => x.add(y.sub(x).mul(share));
    return { sample: between(a.sample, b.sample), velocity: between(a.velocity, b.velocity) };
  });
  return (from, to, amounts, owned) => {
    const share = device.tensor(Float32Array.from(amounts), { shape: [amounts.length, 1, 1, 1] });
    owned.push(share);
    return async (latents, time) => {
      const a = await from(latents, time);
      const found = [a];
      try {
        const b = await to(latents, time);
        found.push(b);
        return await mix(a, b, share);
      } finally {
        for (const { sample, velocity } of found) {
          sample.dispose();
          velocity.dispose();
        }
      }
    };
  };
}
