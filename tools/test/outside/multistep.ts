// A sampler with memory, in a project that has only what is published: the two-step Adams–Bashforth method for steps of any
// length (Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, §III.5).
import { linearPath } from '@paris/model';
import { euler, type Latents, realise, type Sampler, samplerOf, uniformTimes } from '@paris/sampler';

const adamsBashforth2: Sampler = samplerOf('adams-bashforth-2', { history: 1 }, async (at) => {
  const { evaluate, latents, time, nextTime, earlier } = at;
  const step = nextTime - time;
  const { sample, velocity } = await evaluate(latents, time);
  const [before] = earlier;
  if (!before) return { latents: await realise(latents.add(velocity.mul(step))), sample };
  const half = step / (time - before.time) / 2;
  const slope = velocity.mul(1 + half).add(before.velocity.mul(-half));
  return { latents: await realise(latents.add(slope.mul(step))), sample };
});

/** A number as latents: samplers need no device. */
class Scalar implements Latents<Scalar> {
  constructor(readonly value: number) {}
  add(other: Scalar): Scalar {
    return new Scalar(this.value + other.value);
  }
  mul(factor: number): Scalar {
    return new Scalar(this.value * factor);
  }
  dispose(): void {}
}

/** dx/dt = x·cos(3t) from t = 1 to 0: x(0) = x(1)·e^(−sin(3)/3). */
async function errorOf(sampler: Sampler, steps: number): Promise<number> {
  const denoiser = async (x: Scalar, t: number) => ({ sample: x, velocity: x.mul(Math.cos(3 * t)) });
  let end = new Scalar(Number.NaN);
  for await (const { latents } of sampler(denoiser, new Scalar(1), { times: uniformTimes(steps), path: linearPath })) {
    end = latents;
  }
  return Math.abs(end.value - Math.exp(-Math.sin(3) / 3));
}

for (const [sampler, order] of [
  [euler, 1],
  [adamsBashforth2, 2],
] as const) {
  const found = Math.log2((await errorOf(sampler, 100)) / (await errorOf(sampler, 200)));
  if (!(Math.abs(found - order) < 0.1)) throw new Error(`a method of order ${order} converges with ${found}`);
  console.log(`a sampler of order ${order} converges with ${found.toFixed(2)}`);
}
