import { cosinePath, ddpmPath, linearPath } from '@paris/model';
import { describe, expect, it } from 'vitest';
import { alignYourSteps } from './align-your-steps.js';
import { betaQuantile } from './beta-quantile.js';
import {
  beta,
  exponential,
  karras,
  klOptimal,
  type Schedule,
  scheduleByName,
  schedules,
  shifted,
  sigmaAt,
} from './named.js';
import { scheduleName, scheduleNames } from './names.js';
import { checkTimes, uniformTimes } from './schedules.js';

const ddpmPaths = [
  ...(['linear', 'scaled-linear', 'cosine'] as const).map((betas) => ddpmPath({ betas })),
  ddpmPath({ betas: 'linear', zeroSnr: true }),
];

describe.each(Object.entries(schedules))('%s', (name, schedule) => {
  it.each([linearPath, cosinePath, ...ddpmPaths])(
    'goes down from 1 to 0 on every path, in one step and in many, shifted or not: $name',
    (path) => {
      for (const each of [schedule, shifted(schedule, 3), shifted(schedule, 0.5)]) {
        for (const steps of [1, 2, 3, 10, 200]) {
          const times = each(steps, path);
          expect(times).toHaveLength(steps + 1);
          expect([times[0], times[steps]]).toEqual([1, 0]);
          checkTimes(name, times);
        }
      }
    },
  );
});

it('karras and exponential are those of k-diffusion between their ends, whatever the path', () => {
  // get_sigmas_karras(5, 0.1, 10) and get_sigmas_exponential(5, 0.1, 10) of k-diffusion's formulas: ρ = 7.
  const roots = [10 ** (1 / 7), 0.1 ** (1 / 7)] as const;
  const karrasSigmas = [1, 2, 3, 4].map((i) => (roots[0] + (i / 4) * (roots[1] - roots[0])) ** 7);
  const exponentialSigmas = [10 ** 0.5, 1, 10 ** -0.5, 0.1];
  for (const path of [linearPath, cosinePath]) {
    const range = { sigmaMin: 0.1, sigmaMax: 10 };
    const inner = (times: Float64Array) => [...times.subarray(1, 5)].map((t) => sigmaAt(path, t));
    for (const [i, sigma] of inner(karras(range)(5, path)).entries()) expect(sigma).toBeCloseTo(karrasSigmas[i]!, 12);
    for (const [i, sigma] of inner(exponential(range)(5, path)).entries()) {
      expect(sigma).toBeCloseTo(exponentialSigmas[i]!, 12);
    }
  }
  expect(() => karras({ rho: 0 })).toThrow('[karras] rho is 0. Give a larger, finite number.');
  expect(() => exponential({ sigmaMin: 90 })).toThrow('[exponential] sigmaMax is 80.');
});

it('beta spends more steps at both ends, and none more with α = β = 1', () => {
  const [even, bent] = [beta({ alpha: 1, beta: 1 })(8, linearPath), schedules.beta(8, linearPath)];
  for (const [i, t] of uniformTimes(8).entries()) expect(even[i]).toBeCloseTo(t, 13);
  expect(1 - bent[1]!).toBeLessThan(1 / 8);
  expect(bent[7]!).toBeLessThan(1 / 8);
  expect(bent[4]!).toBeCloseTo(0.5, 13);
  expect(() => beta({ alpha: Number.NaN })).toThrow('[beta] alpha is NaN.');
});

it('numbers that make no times are named', () => {
  for (const path of [linearPath, cosinePath]) {
    const ask = (schedule: () => Schedule) => () => schedule()(5, path);
    for (const rho of [1e-320, 1e-3, 1e20, Number.MAX_VALUE]) {
      expect(
        ask(() => karras({ rho })),
        `${rho}`,
      ).toThrow(
        `[karras] the times of 5 steps do not fall with rho ${rho}, sigmaMin 0.01, sigmaMax 80. Give less extreme numbers.`,
      );
    }
    expect(ask(() => klOptimal({ sigmaMin: 1e-320 }))).toThrow(
      '[klOptimal] the times of 5 steps do not fall with sigmaMin 1e-320,',
    );
    expect(ask(() => exponential({ sigmaMin: 1e20, sigmaMax: 1e30 }))).toThrow(
      '[exponential] the times of 5 steps do not fall',
    );
    expect(ask(() => beta({ alpha: 1e-320 }))).toThrow(
      '[beta] the times of 5 steps do not fall with alpha 1e-320, beta 0.6.',
    );
    expect(ask(() => beta({ alpha: 1e308, beta: 1e308 }))).toThrow(
      '[beta] the times of 5 steps do not fall with alpha 1e+308, beta 1e+308. Give less extreme numbers.',
    );
  }
});

it('quantiles of Beta distributions that are known in closed form', () => {
  for (const p of [0.001, 0.1, 0.5, 0.9, 0.999]) {
    expect(betaQuantile(p, 0.5, 0.5)).toBeCloseTo(Math.sin((Math.PI * p) / 2) ** 2, 13); // the arcsine distribution
    expect(betaQuantile(p, 3, 1)).toBeCloseTo(p ** (1 / 3), 13);
    expect(betaQuantile(p, 1, 2.5)).toBeCloseTo(1 - (1 - p) ** 0.4, 13);
  }
});

it('align-your-steps has the σ̃ of its table at ten steps, and lies between them in log-SNR at others', () => {
  const sd15 = [6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152];
  for (const path of [linearPath, cosinePath, ddpmPath({ betas: 'scaled-linear' })]) {
    const [ten, twenty] = [alignYourSteps('sd15')(10, path), alignYourSteps('sd15')(20, path)];
    for (const [i, sigma] of sd15.entries()) {
      expect(sigmaAt(path, ten[i + 1]!) / sigma).toBeCloseTo(1, 10);
      expect(twenty[2 * i + 2]).toBeCloseTo(ten[i + 1]!, 12);
      if (i === 0) continue;
      expect(sigmaAt(path, twenty[2 * i + 1]!) / Math.sqrt(sd15[i - 1]! * sigma)).toBeCloseTo(1, 10);
    }
  }
  // What is trained at less noise than a table begins with begins at its own.
  const short = alignYourSteps('svd')(10, ddpmPath({ betas: 'scaled-linear' }));
  expect([short[0], short[10]]).toEqual([1, 0]);
  expect(() => alignYourSteps('sd3' as never)).toThrow(
    '[alignYourSteps] there is no table for "sd3". Known: sd15, sdxl,',
  );
});

it('kl-optimal takes even steps in arctan σ̃, which on the cosine path is time', () => {
  const times = klOptimal({ sigmaMin: 0.1, sigmaMax: 10 })(5, cosinePath);
  const [high, low] = [Math.atan(10), Math.atan(0.1)].map((angle) => (2 * angle) / Math.PI) as [number, number];
  for (let i = 1; i < 5; i++) expect(times[i]).toBeCloseTo(high + (i / 4) * (low - high), 12);
});

it('a shift moves times towards noise, whatever the schedule', () => {
  const times = shifted(uniformTimes, 3)(4, linearPath);
  for (const [i, t] of uniformTimes(4).entries()) expect(times[i]).toBeCloseTo((3 * t) / (1 + 2 * t), 14);
  for (const [i, t] of shifted(schedules.beta, 1)(4, cosinePath).entries()) {
    expect(t).toBeCloseTo(schedules.beta(4, cosinePath)[i]!, 12);
  }
  for (const bad of [0, -1, Number.NaN]) expect(() => shifted(uniformTimes, bad)).toThrow(`[shifted] shift is ${bad}.`);
});

it.each([
  ['sgm_uniform', 'sgm-uniform'],
  ['SGM Uniform', 'sgm-uniform'],
  ['normal', 'uniform'],
  ['ddim_uniform', 'uniform'],
  ['KL Optimal', 'kl-optimal'],
  ['AYS SDXL', 'align-your-steps-sdxl'],
  ['Align Your Steps', 'align-your-steps'],
])('%s is %s', (other, own) => expect(scheduleName(other)).toBe(own));

it('finds schedules by name', () => {
  expect(Object.keys(schedules)).toEqual(scheduleNames);
  expect(scheduleByName('sgm_uniform')).toBe(schedules['sgm-uniform']);
  expect(() => scheduleByName('toString')).toThrow(
    '[schedule] no schedule is called "toString". Known: uniform, simple, sgm-uniform, karras, exponential, beta, kl-optimal, ',
  );
});
