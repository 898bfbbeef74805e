import { cosinePath, ddpmPath, linearPath, logSnr } from '@paris/model';
import { expect, it } from 'vitest';
import { checkTimes, shiftLogSnr, uniformTimes } from './schedules.js';

it('uniform times run from 1 to 0 in equal steps', () => {
  expect([...uniformTimes(4)]).toEqual([1, 0.75, 0.5, 0.25, 0]);
  expect([...uniformTimes(1)]).toEqual([1, 0]);
  expect(uniformTimes(3)).toBeInstanceOf(Float64Array);
  expect(() => uniformTimes(0)).toThrow('[uniformTimes] steps is 0. Give a whole number from 1 on.');
  expect(() => uniformTimes(2.5)).toThrow('steps is 2.5');
});

it('a shift moves the log-SNR of every inner time and keeps the ends', () => {
  for (const path of [linearPath, cosinePath]) {
    const times = uniformTimes(5);
    const shifted = shiftLogSnr(path, times, -1.5);
    expect([shifted[0], shifted[5]]).toEqual([1, 0]);
    for (let i = 1; i < 5; i++) {
      expect(logSnr(path, shifted[i]!)).toBeCloseTo(logSnr(path, times[i]!) - 1.5, 10);
      expect(shifted[i]!).toBeGreaterThan(times[i]!);
    }
  }
  expect(() => shiftLogSnr(linearPath, uniformTimes(2), Number.NaN)).toThrow('[shiftLogSnr] shift is NaN.');
});

it('on a path that keeps some data at t = 1, σ/α is shifted in units of what it is there', () => {
  const path = ddpmPath({ betas: 'scaled-linear' });
  const share = (t: number) => Math.exp((logSnr(path, 1) - logSnr(path, t)) / 2);
  for (const s of [3, 0.5]) {
    const times = uniformTimes(9);
    const shifted = shiftLogSnr(path, times, -2 * Math.log(s));
    expect([shifted[0], shifted[9]]).toEqual([1, 0]);
    for (const [i, t] of times.entries()) {
      const w = share(t);
      expect(share(shifted[i]!)).toBeCloseTo((s * w) / (1 + (s - 1) * w), 12);
    }
  }
});

it('on the linear path a shift of −2 ln s is the time shift s·t / (1 + (s − 1)·t)', () => {
  const s = 3;
  const times = uniformTimes(7);
  const shifted = shiftLogSnr(linearPath, times, -2 * Math.log(s));
  for (const [i, t] of times.entries()) expect(shifted[i]).toBeCloseTo((s * t) / (1 + (s - 1) * t), 14);
});

it('refuses times that are no way from noise to data', () => {
  const check = (...times: number[]) => checkTimes('euler', Float64Array.from(times));
  expect(() => check(1, 0.5, 0)).not.toThrow();
  expect(() => check(1)).toThrow('[euler] 1 times make no step. Give at least two, such as uniformTimes(30).');
  expect(() => check(1, 1)).toThrow('[euler] times[1] = 1 is not below times[0] = 1. Sort them downwards.');
  expect(() => check(1.5, 0)).toThrow('[euler] times[0] is 1.5. Times lie in [0, 1]: 1 is noise, 0 data.');
  expect(() => check(1, Number.NaN)).toThrow('times[1] is NaN');
});
