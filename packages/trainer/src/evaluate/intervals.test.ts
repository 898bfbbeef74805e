// Intervals against SciPy's: tools/fixtures/distances.py makes the values.
import { readFileSync } from 'node:fs';
import { key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { bootstrapMean, studentMean, studentQuantile } from './intervals.js';

const fixture: {
  student: { p: number; df: number; t: number }[];
  bootstrap: { values: number[]; interval: [number, number] };
} = JSON.parse(readFileSync(new URL('../../../clustering/fixtures/distances.json', import.meta.url), 'utf8'));

describe("Student's t", () => {
  it.each(fixture.student)('quantile $p with $df degrees of freedom', ({ p, df, t }) => {
    expect(studentQuantile(p, df)).toBeCloseTo(t, 6);
  });

  it('gives the interval of a mean, and none for one value', () => {
    const { mean, interval } = studentMean([1, 2, 3]);
    expect(mean).toBe(2);
    expect(interval![1] - 2).toBeCloseTo(4.30265273 / Math.sqrt(3), 6);
    expect(2 - interval![0]).toBeCloseTo(4.30265273 / Math.sqrt(3), 6);
    expect(studentMean([4])).toEqual({ mean: 4, interval: undefined });
  });
});

describe('the bootstrap', () => {
  const { values, interval } = fixture.bootstrap;

  it('has the interval of 200,000 resamples, as far as 1000 can', () => {
    const [low, high] = bootstrapMean(values, key(1));
    expect(Math.abs(low - interval[0])).toBeLessThan(0.03);
    expect(Math.abs(high - interval[1])).toBeLessThan(0.03);
  });

  it('is a function of its key, and has no width where values are equal', () => {
    expect(bootstrapMean(values, key(1))).toEqual(bootstrapMean(values, key(1)));
    expect(bootstrapMean(values, key(1))).not.toEqual(bootstrapMean(values, key(2)));
    expect(bootstrapMean([3, 3, 3], key(0))).toEqual([3, 3]);
  });
});
