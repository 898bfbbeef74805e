import { describe, expect, it } from 'vitest';
import { cosinePath } from './cosine.js';
import { linearPath } from './linear.js';
import { logSnr } from './path.js';
import { noisePath, noisePaths } from './paths.js';

// α and σ at t = 0, ¼, ½, 1, worked out by hand.
const table = [
  { path: linearPath, alpha: [1, 0.75, 0.5, 0], sigma: [0, 0.25, 0.5, 1] },
  {
    path: cosinePath,
    alpha: [1, Math.cos(Math.PI / 8), Math.SQRT1_2, 0],
    sigma: [0, Math.sin(Math.PI / 8), Math.SQRT1_2, 1],
  },
];

describe.each(table)('$path.name path', ({ path, alpha, sigma }) => {
  it('has the values of its formula, exactly at both ends', () => {
    for (const [i, t] of [0, 0.25, 0.5, 1].entries()) {
      expect(path.alpha(t)).toBeCloseTo(alpha[i]!, 14);
      expect(path.sigma(t)).toBeCloseTo(sigma[i]!, 14);
    }
    expect([path.alpha(0), path.sigma(0), path.alpha(1), path.sigma(1)]).toEqual([1, 0, 0, 1]);
  });

  it('has derivatives that agree with central differences', () => {
    const h = 1e-5;
    for (const t of [0.01, 0.2, 0.5, 0.77, 0.99]) {
      expect(path.alphaPrime(t)).toBeCloseTo((path.alpha(t + h) - path.alpha(t - h)) / (2 * h), 8);
      expect(path.sigmaPrime(t)).toBeCloseTo((path.sigma(t + h) - path.sigma(t - h)) / (2 * h), 8);
    }
  });

  it('inverts its log-SNR, at the infinite ends too', () => {
    for (const t of [1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999]) {
      expect(path.timeAtLogSnr(logSnr(path, t))).toBeCloseTo(t, 12);
    }
    expect(logSnr(path, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(logSnr(path, 1)).toBe(Number.NEGATIVE_INFINITY);
    expect(path.timeAtLogSnr(Number.POSITIVE_INFINITY)).toBe(0);
    expect(path.timeAtLogSnr(Number.NEGATIVE_INFINITY)).toBe(1);
  });
});

it('every built-in path is in the table above', () => {
  expect(noisePaths.map((path) => path.name).sort()).toEqual(table.map(({ path }) => path.name).sort());
});

it('the cosine path keeps α² + σ² = 1', () => {
  for (const t of [0, 0.1, 0.5, 0.8, 1]) expect(cosinePath.alpha(t) ** 2 + cosinePath.sigma(t) ** 2).toBeCloseTo(1, 14);
});

it('finds paths by name, custom ones first, and lists the known ones otherwise', () => {
  const own = { ...linearPath, name: 'own' };
  expect(noisePath('linear')).toBe(linearPath);
  expect(noisePath('own', [own])).toBe(own);
  expect(() => noisePath('quadratic', [own])).toThrow(
    '[noisePath] no noise path is called "quadratic". Known: "own", "linear", "cosine".',
  );
});
