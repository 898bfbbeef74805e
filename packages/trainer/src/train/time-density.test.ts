import { key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { logitNormalDensity, parseTimeDensity, uniformDensity } from './time-density.js';

/** The integral of a density over [a, b], by the midpoint rule. */
function mass(density: (t: number) => number, a: number, b: number): number {
  const steps = 20_000;
  const width = (b - a) / steps;
  return Array.from({ length: steps }, (_, i) => density(a + (i + 0.5) * width) * width).reduce((x, y) => x + y);
}

describe.each([uniformDensity, logitNormalDensity(), logitNormalDensity({ mean: 0.8, deviation: 0.6 })])(
  '$name',
  ({ draw, density }) => {
    it('has mass 1, and draws by it', () => {
      expect(mass(density, 0, 1)).toBeCloseTo(1, 6);
      const count = 20_000;
      const times = draw(key(3), count);
      for (let decile = 0; decile < 10; decile++) {
        const expected = mass(density, decile / 10, (decile + 1) / 10);
        const share = times.filter((t) => Math.floor(t * 10) === decile).length / count;
        const standardError = Math.sqrt((expected * (1 - expected)) / count);
        expect(Math.abs(share - expected)).toBeLessThan(4 * standardError + 1e-9);
      }
    });

    it('draws by the key alone', () => {
      expect(draw(key(5), 8)).toEqual(draw(key(5), 8));
      expect(draw(key(6), 8)).not.toEqual(draw(key(5), 8));
    });
  },
);

it('logit-normal has the median σ(mean) and the quartiles of its deviation', () => {
  const times = logitNormalDensity({ mean: 0.5, deviation: 2 }).draw(key(1), 20_000).sort();
  const logit = (t: number) => Math.log(t / (1 - t));
  expect(logit(times[10_000]!)).toBeCloseTo(0.5, 1);
  expect(logit(times[15_000]!) - logit(times[5_000]!)).toBeCloseTo(2 * 2 * 0.67449, 1);
});

it('is found by its name', () => {
  expect(parseTimeDensity('uniform')).toBe(uniformDensity);
  expect(parseTimeDensity('logit-normal').name).toBe('logit-normal:0,1');
  expect(parseTimeDensity('logit-normal:-0.5,2').name).toBe('logit-normal:-0.5,2');
  expect(() => parseTimeDensity('cosmap')).toThrow(
    '[timeDensity] no density of times is called "cosmap". Known: uniform, logit-normal, logit-normal:MEAN,DEVIATION.',
  );
  for (const bad of ['0,0', '0,-1', 'a,1', '0,Infinity']) {
    expect(() => parseTimeDensity(`logit-normal:${bad}`)).toThrow('both must be finite, the deviation positive.');
  }
});
