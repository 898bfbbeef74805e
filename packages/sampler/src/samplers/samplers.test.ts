import { linearPath } from '@paris/model';
import { hostNormal, key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { uniformTimes } from '../schedules/schedules.js';
import { ddim } from './ddim.js';
import { dpmpp2mSde } from './dpmpp-2m-sde.js';
import { samplerName, samplerNames } from './names.js';
import type { Sampler, SamplerOptions } from './sampler.js';
import { samplerByName, samplers } from './samplers.js';
import { Ledger, type Vector } from './vector.testing.js';

/** What is particular to each sampler; a sampler that is missing here fails the suite. Orders: see solvers.test.ts, too. */
const facts: Record<
  keyof typeof samplers,
  { order?: number; history?: number; evaluations: (steps: number) => number }
> = {
  euler: { order: 1, evaluations: (steps) => steps },
  heun: { order: 2, evaluations: (steps) => 2 * steps - 1 },
  'euler-ancestral': { evaluations: (steps) => steps },
  ddim: { order: 1, evaluations: (steps) => steps },
  'dpmpp-2m': { history: 1, evaluations: (steps) => steps },
  'dpmpp-2m-sde': { history: 1, evaluations: (steps) => steps },
  unipc: { history: 2, evaluations: (steps) => steps },
  'adams-bashforth': { order: 2, history: 1, evaluations: (steps) => steps },
};

/**
 * Data ~ N(mean, spread²), so x_t ~ N((1−t)·mean, s_t²) with s_t² = (1−t)²·spread² + t². The marginal velocity is
 * E[ε − x₀ | x_t], linear in x; its flow keeps (x − (1−t)·mean) / s_t constant.
 */
const mean = 0.8;
const spread = 0.3;
const width = (t: number) => Math.hypot((1 - t) * spread, t);
const gaussianVelocity = (x: number, t: number) =>
  -mean + ((t - (1 - t) * spread ** 2) / width(t) ** 2) * (x - (1 - t) * mean);
const exact = (x1: number, t: number) => (1 - t) * mean + width(t) * x1;

const options = (
  ledger: Ledger,
  steps: number,
  more: Partial<SamplerOptions<Vector>> = {},
): SamplerOptions<Vector> => ({
  times: uniformTimes(steps),
  path: linearPath,
  noise: (step, draw) => ledger.vector(hostNormal(key(2).foldIn(step).foldIn(draw), 1)),
  ...more,
});

async function finish(sampler: Sampler, ledger: Ledger, start: Vector, steps: number): Promise<number[]> {
  let result: number[] = [];
  for await (const { latents } of sampler(ledger.denoiser(gaussianVelocity), start, options(ledger, steps))) {
    result = [...latents.read()];
  }
  return result;
}

describe.each(Object.keys(samplers) as (keyof typeof samplers)[])('%s', (name) => {
  const sampler = samplers[name];
  const { order, history = 0, evaluations } = facts[name];

  if (order) {
    it('takes noise to the data of a Gaussian, with the order of its method', async () => {
      const start = [-1.5, -0.2, 0.4, 2];
      const errors: number[] = [];
      for (const steps of [20, 40, 80, 160]) {
        const ledger = new Ledger();
        const end = await finish(sampler, ledger, ledger.vector(start), steps);
        errors.push(Math.max(...end.map((x, i) => Math.abs(x - exact(start[i]!, 0)))));
      }
      const slopes = errors.slice(1).map((error, i) => Math.log2(errors[i]! / error));
      for (const slope of slopes) expect(Math.abs(slope - order)).toBeLessThan(0.25);
      expect(errors.at(-1)).toBeLessThan(0.02);
    });
  }

  it('yields each step with its time, its preview and its evaluations', async () => {
    const ledger = new Ledger();
    const seen = [];
    for await (const { step, time, evaluations: count, sample } of sampler(
      ledger.denoiser(gaussianVelocity),
      ledger.vector([1]),
      options(ledger, 4),
    )) {
      seen.push({ step, time, count });
      expect(sample.read()).toHaveLength(1);
    }
    expect(seen.map(({ step, time }) => [step, time])).toEqual([
      [0, 0.75],
      [1, 0.5],
      [2, 0.25],
      [3, 0],
    ]);
    expect(seen.reduce((sum, { count }) => sum + count, 0)).toBe(evaluations(4));
    expect(ledger.evaluations).toBe(evaluations(4));
  });

  it('tells x̂₀ from the beginning of the step', async () => {
    const ledger = new Ledger();
    const generator = sampler(ledger.denoiser(gaussianVelocity), ledger.vector([1.2]), options(ledger, 5));
    const { value } = await generator.next();
    expect(value?.sample.read()[0]).toBeCloseTo(1.2 - gaussianVelocity(1.2, 1), 14);
    await generator.return();
  });

  it('leaves only the initial latents alive at the end, and at every step what it says', async () => {
    const ledger = new Ledger();
    const start = ledger.vector([0.5]);
    for await (const { latents, sample } of sampler(ledger.denoiser(gaussianVelocity), start, options(ledger, 6))) {
      for (const value of [start, latents, sample]) expect(ledger.live.has(value)).toBe(true);
      expect(ledger.live.size).toBeLessThanOrEqual(3 + 2 * history);
    }
    expect(ledger.live).toEqual(new Set([start]));
    expect([...start.read()]).toEqual([0.5]);
  });

  it('releases everything when the loop is left', async () => {
    const ledger = new Ledger();
    const start = ledger.vector([0.5]);
    for await (const { step } of sampler(ledger.denoiser(gaussianVelocity), start, options(ledger, 6)))
      if (step === 2) break;
    expect(ledger.live).toEqual(new Set([start]));
    expect(ledger.evaluations).toBeLessThan(evaluations(6));
  });

  it('releases everything and throws the reason when it is aborted, between steps and within one', async () => {
    for (const within of [false, true]) {
      const ledger = new Ledger();
      const start = ledger.vector([0.5]);
      const control = new AbortController();
      const denoiser = ledger.denoiser(gaussianVelocity);
      const run = async () => {
        for await (const { step } of sampler(
          async (latents, time) => {
            if (within && time < 0.7) control.abort(new Error('enough'));
            return await denoiser(latents, time);
          },
          start,
          options(ledger, 6, { signal: control.signal }),
        )) {
          if (!within && step === 1) control.abort(new Error('enough'));
          expect(step).toBeLessThan(2);
        }
      };
      await expect(run()).rejects.toThrow('enough');
      expect(ledger.live).toEqual(new Set([start]));
    }
  });

  it('releases everything when the denoiser fails', async () => {
    for (const failing of [1, 2, 3]) {
      const ledger = new Ledger();
      const start = ledger.vector([0.5]);
      const denoiser = ledger.denoiser(gaussianVelocity);
      let calls = 0;
      const run = async () => {
        for await (const _ of sampler(
          async (latents, time) => {
            if (++calls === failing) throw new Error('lost');
            return await denoiser(latents, time);
          },
          start,
          options(ledger, 6),
        ));
      };
      await expect(run()).rejects.toThrow('lost');
      expect(ledger.live).toEqual(new Set([start]));
    }
  });

  it('gives the same numbers each time', async () => {
    const [a, b] = [new Ledger(), new Ledger()];
    expect(await finish(sampler, a, a.vector([1]), 7)).toEqual(await finish(sampler, b, b.vector([1]), 7));
  });

  it('refuses times that do not go down, before anything is evaluated', async () => {
    const ledger = new Ledger();
    const start = ledger.vector([1]);
    const generator = sampler(
      ledger.denoiser(gaussianVelocity),
      start,
      options(ledger, 2, { times: Float64Array.of(0, 1) }),
    );
    await expect(generator.next()).rejects.toThrow(`[${name}] times[1] = 1 is not below times[0] = 0.`);
    expect(ledger.evaluations).toBe(0);
  });
});

it('finds samplers by name', () => {
  expect(Object.keys(samplers)).toEqual(samplerNames);
  expect(samplerByName('heun')).toBe(samplers.heun);
  expect(samplerByName('dpmpp_2m')).toBe(samplers['dpmpp-2m']);
  const same = {
    ...{ uni_pc: 'unipc', 'DPM++ 2M': 'dpmpp-2m', 'DPM++ 2M SDE': 'dpmpp-2m-sde', dpmpp_2m_sde: 'dpmpp-2m-sde' },
    ...{ 'Euler a': 'euler-ancestral', euler_ancestral: 'euler-ancestral', DDIMScheduler: 'ddim', Euler: 'euler' },
    ...{ DPMSolverMultistepScheduler: 'dpmpp-2m', EulerAncestralDiscreteScheduler: 'euler-ancestral' },
  };
  for (const [other, own] of Object.entries(same)) expect(samplerName(other)).toBe(own);
  for (const eta of [-0.1, 1.1, Number.NaN]) {
    expect(() => ddim({ eta })).toThrow(`[ddim] eta is ${eta}. Give a share of fresh noise from 0 to 1.`);
    expect(() => dpmpp2mSde({ eta })).toThrow(`[dpmpp-2m-sde] eta is ${eta}.`);
  }
  expect(() => samplerByName('toString')).toThrow(
    '[sampler] no sampler is called "toString". Known: euler, heun, euler-ancestral, ddim, dpmpp-2m, dpmpp-2m-sde, unipc, adams-bashforth. Or pass a function of your own.',
  );
});
