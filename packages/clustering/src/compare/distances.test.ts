// Every measure of two sets against what SciPy and scikit-learn give: tools/fixtures/distances.py makes the values.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ClusteringError } from '../errors.js';
import { clippedCoverage } from './clipped.js';
import { copyingTest } from './copying.js';
import { coverageOf } from './coverage.js';
import { frechetDistance } from './frechet-distance.js';
import { kernelDistance } from './kernel-distance.js';
import { ridgeClassifier } from './ridge-classifier.js';
import { slicedWasserstein } from './sliced-wasserstein.js';

interface Estimate {
  mean: number;
  standardError: number;
}

interface Fixture {
  dimensions: number;
  real: number[];
  drawn: number[];
  learned: number[];
  kernel: Estimate;
  frechet: number;
  slicedWasserstein: number;
  coverage: { density: number; coverage: number };
  clipped: { density: number; coverage: number };
  copying: { nearer: number; pValue: number };
  classifier: { labels: string[]; classes: string[]; drawn: string[] };
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('../../fixtures/distances.json', import.meta.url), 'utf8'));
const { dimensions } = fixture;
const [real, drawn, learned] = [fixture.real, fixture.drawn, fixture.learned].map((rows) =>
  Float32Array.from(rows),
) as [Float32Array, Float32Array, Float32Array];
const pair = { a: drawn, b: real, dimensions };

describe('as SciPy and scikit-learn have it', () => {
  it('the kernel distance and its jackknife', () => {
    const { mean, standardError } = kernelDistance(pair);
    expect(mean).toBeCloseTo(fixture.kernel.mean, 6);
    expect(standardError / fixture.kernel.standardError).toBeCloseTo(1, 5);
  });

  it('the Fréchet distance', () => expect(frechetDistance(pair)).toBeCloseTo(fixture.frechet, 6));

  it('the sliced Wasserstein distance, by other directions', () => {
    const ours = slicedWasserstein(pair, { directions: 20_000 });
    expect(Math.abs(ours / fixture.slicedWasserstein - 1)).toBeLessThan(0.01);
  });

  it('density and coverage', () => {
    const { density, coverage } = coverageOf(real, drawn, dimensions);
    expect(density).toBeCloseTo(fixture.coverage.density, 8);
    expect(coverage).toBeCloseTo(fixture.coverage.coverage, 8);
  });

  it('clipped density and coverage', () => {
    const { density, coverage } = clippedCoverage(real, drawn, dimensions);
    expect(density).toBeCloseTo(fixture.clipped.density, 8);
    expect(coverage).toBeCloseTo(fixture.clipped.coverage, 8);
  });

  it('the test for copies', () => {
    const { nearer, pValue } = copyingTest(learned, drawn, real, dimensions);
    expect(nearer).toBeCloseTo(fixture.copying.nearer, 8);
    expect(pValue).toBeCloseTo(fixture.copying.pValue, 6);
  });

  it('the ridge classifier', () => {
    const { labels, classes, drawn: wanted } = fixture.classifier;
    const classifier = ridgeClassifier(learned, labels, dimensions);
    expect(classifier.classes).toEqual(classes);
    expect(Array.from(classifier.classify(drawn), (k) => classes[k])).toEqual(wanted);
  });
});

describe('clippedCoverage', () => {
  it('falls with the share of bad pictures, and no outlier raises it', () => {
    const half = learned.map((value, at) => value + (at < learned.length / 2 ? 0 : 50));
    const { density, coverage } = clippedCoverage(real, half, dimensions);
    expect(density).toBeCloseTo(0.5, 1);
    expect(coverage).toBeCloseTo(0.5, 1);
    // A real picture far away has a neighbourhood that all of space is in: plain density counts it, this does not.
    const outlier = Float32Array.of(...real, ...new Array<number>(dimensions).fill(1000));
    const bad = new Float32Array(20 * dimensions).fill(500);
    expect(coverageOf(outlier, bad, dimensions).density).toBeGreaterThan(0.1);
    expect(clippedCoverage(outlier, bad, dimensions).density).toBe(0);
  });

  it('is 1 for the real pictures again, and refuses too few', () => {
    expect(clippedCoverage(real, real, dimensions)).toEqual({ density: 1, coverage: 1 });
    expect(() => clippedCoverage(real.slice(0, 5 * dimensions), drawn, dimensions)).toThrow(
      'more than 5 real pictures are needed, got 5.',
    );
  });
});

it('a classifier refuses what it cannot learn from', () => {
  const rows = Float32Array.of(1, 2, 3);
  expect(() => ridgeClassifier(rows, ['a', 'a', 'a'], 1)).toThrow(ClusteringError);
  expect(() => ridgeClassifier(rows, ['a', 'b'], 1)).toThrow(
    '[ridgeClassifier] got 2 labels of 2 classes for 3 rows. Give one for each row, and two classes or more.',
  );
});
