// Distances of two sets of pictures against definitions that are written out again, and against sets whose distance is known.
import { hostNormal, hostUniform, key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { ClusteringError } from '../errors.js';
import { copyingTest } from './copying.js';
import { coverageOf } from './coverage.js';
import { frechetDistance } from './frechet-distance.js';
import { kernelDistance } from './kernel-distance.js';
import { slicedWasserstein } from './sliced-wasserstein.js';
import { symmetricEigen, symmetricEigenvalues } from './symmetric-eigen.js';

/** Normal rows, each dimension with its own scale and shift. */
function normal(seed: number, count: number, scales: readonly number[], shift: readonly number[] = []): Float32Array {
  return hostNormal(key(seed), count * scales.length).map(
    (x, at) => x * scales[at % scales.length]! + (shift[at % scales.length] ?? 0),
  );
}
const rowsOf = (features: Float32Array, dimensions: number): number[][] =>
  Array.from({ length: features.length / dimensions }, (_, i) => [
    ...features.slice(i * dimensions, (i + 1) * dimensions),
  ]);

describe('symmetricEigen', () => {
  const random = (n: number) => {
    const draws = hostUniform(key(n), n * n);
    return Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return draws[Math.min(i, j) * n + Math.max(i, j)]! - 0.5;
    });
  };
  const rankOne = Float64Array.from({ length: 25 }, (_, at) => (1 + Math.floor(at / 5)) * (1 + (at % 5)));
  const halves = Float64Array.from({ length: 36 }, (_, at) =>
    Math.floor(at / 18) === Math.floor((at % 6) / 3) ? 2 : 0,
  );
  it.each([
    ['random numbers', random(7), 7],
    ['random numbers of many dimensions', random(60), 60],
    ['one dimension', Float64Array.of(-3), 1],
    ['two', Float64Array.of(1, 2, 2, 1), 2],
    ['none', new Float64Array(), 0],
    ['zeros', new Float64Array(16), 4],
    ['a diagonal', Float64Array.of(3, 0, 0, 0, -1, 0, 0, 0, 3), 3],
    ['rank one', rankOne, 5],
    ['two blocks of rank one', halves, 6],
    ['numbers near the largest', random(5).map((x) => x * 1e150), 5],
    ['numbers near the smallest', random(5).map((x) => x * 1e-150), 5],
  ])('gives orthonormal vectors that make up the matrix: %s', (_, matrix, n) => {
    const { values, vectors } = symmetricEigen(matrix, n);
    const size = matrix.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0) || 1;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let [again, product] = [0, 0];
        for (let k = 0; k < n; k++) {
          again += vectors[k * n + i]! * (values[k]! / size) * vectors[k * n + j]!;
          product += vectors[i * n + k]! * vectors[j * n + k]!;
        }
        expect(again).toBeCloseTo(matrix[i * n + j]! / size, 13);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 13);
      }
    }
    expect([...symmetricEigenvalues(matrix, n)]).toEqual([...values]);
  });
});

describe('kernelDistance', () => {
  const [a, b, dimensions] = [normal(1, 9, [1, 2, 0.5]), normal(2, 6, [1, 1, 1], [0.5, 0, 0]), 3];

  it('is the unbiased estimate as it is defined, and the jackknife of it', () => {
    const kernel = (x: number[], y: number[]) => (x.reduce((sum, v, d) => sum + v * y[d]!, 0) / 3 + 1) ** 3;
    const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    const estimate = (x: number[][], y: number[][]) => {
      const pairs = (z: number[][]) => z.flatMap((p, i) => z.flatMap((q, j) => (i === j ? [] : [kernel(p, q)])));
      return mean(pairs(x)) + mean(pairs(y)) - 2 * mean(x.flatMap((p) => y.map((q) => kernel(p, q))));
    };
    const [x, y] = [rowsOf(a, 3), rowsOf(b, 3)];
    const without = (list: number[][], i: number) => list.filter((_, at) => at !== i);
    const variance = (values: number[]) =>
      ((values.length - 1) / values.length) * values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0);
    const got = kernelDistance({ a, b, dimensions });
    expect(got.mean).toBeCloseTo(estimate(x, y), 10);
    const error = Math.sqrt(
      variance(x.map((_, i) => estimate(without(x, i), y))) + variance(y.map((_, j) => estimate(x, without(y, j)))),
    );
    expect(got.standardError).toBeCloseTo(error, 10);
  });

  it('is around zero for two sets of one distribution, and far from it for others', () => {
    const standardized = Array.from({ length: 40 }, (_, i) => {
      const pair = { a: normal(10 + i, 60, [1, 1]), b: normal(100 + i, 40, [1, 1]), dimensions: 2 };
      const { mean, standardError } = kernelDistance(pair);
      return mean / standardError;
    });
    expect(standardized.filter((z) => Math.abs(z) < 3).length).toBeGreaterThan(36);
    const moved = kernelDistance({ a: normal(1, 60, [1, 1]), b: normal(2, 60, [1, 1], [3, 0]), dimensions: 2 });
    expect(moved.mean / moved.standardError).toBeGreaterThan(4);
  });
});

describe('frechetDistance', () => {
  it('is known where covariances commute: squared distance of means and of standard deviations', () => {
    // Rows at ± s along each axis have variance 2 s² / (2 D − 1) there and no covariance.
    const cross = (scales: number[], shift: number[]) =>
      Float32Array.from(
        scales.flatMap((s, axis) => [s, -s].flatMap((x) => scales.map((_, d) => shift[d]! + (d === axis ? x : 0)))),
      );
    const [p, q] = [
      [1, 2, 3],
      [4, 2, 1],
    ];
    const distance = frechetDistance({ a: cross(p, [0, 0, 0]), b: cross(q, [1, 0, -2]), dimensions: 3 });
    const deviation = Math.sqrt(2 / 5);
    const wanted = 1 + 4 + p.reduce((sum, s, d) => sum + (deviation * (s - q[d]!)) ** 2, 0);
    expect(distance).toBeCloseTo(wanted, 6);
  });

  it('does not change when both sets are turned, and is zero for equal ones', () => {
    const [a, b] = [normal(5, 50, [1, 3]), normal(6, 40, [2, 1], [1, 1])];
    const turned = (rows: Float32Array) => {
      const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
      return rows.map((x, at) => (at % 2 === 0 ? c * x - s * rows[at + 1]! : s * rows[at - 1]! + c * x));
    };
    const plain = frechetDistance({ a, b, dimensions: 2 });
    expect(frechetDistance({ a: turned(a), b: turned(b), dimensions: 2 })).toBeCloseTo(plain, 4);
    expect(plain).toBeGreaterThan(1);
    expect(frechetDistance({ a, b: a, dimensions: 2 })).toBeCloseTo(0, 6);
  });
});

describe('slicedWasserstein', () => {
  it('of moved pictures is the move, over the root of the dimensions', () => {
    const a = normal(7, 30, [1, 1, 1, 1]);
    const b = a.map((x, at) => x + (at % 4 === 0 ? 2 : 0));
    const distance = slicedWasserstein({ a, b, dimensions: 4 }, { directions: 20_000 });
    expect(distance).toBeCloseTo(2 / Math.sqrt(4), 1);
    expect(slicedWasserstein({ a, b: a, dimensions: 4 })).toBe(0);
  });

  it('in one dimension is the distance of quantiles, of sets of any sizes', () => {
    const of = (a: number[], b: number[]) =>
      slicedWasserstein({ a: Float32Array.from(a), b: Float32Array.from(b), dimensions: 1 }, { directions: 3 });
    expect(of([0, 1], [5, 6])).toBeCloseTo(5, 6);
    // Quantiles: [0, ⅓) 0 and 0, [⅓, ½) 0 and 3, [½, ⅔) 6 and 3, [⅔, 1) 6 and 6.
    expect(of([6, 0], [3, 0, 6])).toBeCloseTo(Math.sqrt((9 + 9) / 6), 6);
    expect(of([1, 2, 3], [3, 1, 2, 2, 1, 3])).toBeCloseTo(0, 6);
  });
});

describe('coverageOf', () => {
  it('counts neighbourhoods as they are defined', () => {
    const real = Float32Array.of(0, 1, 3, 10, 11, 14);
    // With one neighbour the radii are 1, 1, 2, 1, 1, 3.
    expect(coverageOf(real, Float32Array.of(0.5, 2, 12, 100), 1, 1)).toEqual({ density: 6 / 4, coverage: 5 / 6 });
    expect(coverageOf(real, Float32Array.of(-5, 100), 1, 1)).toEqual({ density: 0, coverage: 0 });
    expect(coverageOf(real, Float32Array.of(0.5), 1, 1)).toEqual({ density: 2, coverage: 2 / 6 });
  });

  it('is about 1 and high for pictures of the same kind, and low in coverage for one picture again and again', () => {
    const real = normal(8, 200, [1, 1]);
    const same = coverageOf(real, normal(9, 200, [1, 1]), 2);
    expect(same.density).toBeCloseTo(1, 0);
    expect(same.coverage).toBeGreaterThan(0.9);
    const one = coverageOf(real, new Float32Array(400), 2);
    expect(one.coverage).toBeLessThan(0.2);
    expect(() => coverageOf(real.slice(0, 10), real, 2)).toThrow('more than 5 real pictures are needed, got 5.');
  });
});

describe('copyingTest', () => {
  const learned = normal(20, 100, [1, 1, 1]);
  const heldOut = normal(21, 60, [1, 1, 1]);

  it('finds nothing in new pictures, and copies with noise in others', () => {
    const fresh = copyingTest(learned, normal(22, 60, [1, 1, 1]), heldOut, 3);
    expect(fresh.pValue).toBeGreaterThan(0.01);
    expect(fresh.nearer).toBeCloseTo(0.5, 0);
    const noise = normal(23, 60, [0.01, 0.01, 0.01]);
    const copies = learned.slice(0, 180).map((x, at) => x + noise[at]!);
    const found = copyingTest(learned, copies, heldOut, 3);
    expect(found.pValue).toBeLessThan(1e-6);
    expect(found.nearer).toBeGreaterThan(0.95);
    expect(found.drawn.map(({ row }) => row)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('ranks as Mann and Whitney do, ties counted half', () => {
    const at = (...values: number[]) => Float32Array.from(values);
    // Distances to 0: drawn 1, 2, 2; held out 2, 3. Of six pairs the drawn one is nearer in 4 and level in 2.
    const { nearer, pValue } = copyingTest(at(0), at(1, -2, 2), at(2, -3), 1);
    expect(nearer).toBeCloseTo((4 + 1) / 6, 12);
    // U = 1; mean 3; variance 6 / 12 · (6 − 24 / 20) = 2.4; P(Z ≤ −1.29099) from a table.
    expect(pValue).toBeCloseTo(0.09835, 4);
  });
});

it('refuses what is no features', () => {
  const a = Float32Array.of(1, 2, 3);
  expect(() => kernelDistance({ a, b: a, dimensions: 2 })).toThrow(ClusteringError);
  expect(() => kernelDistance({ a, b: a.slice(0, 2), dimensions: 1 })).toThrow(
    '3 pictures are needed in each set, got 2.',
  );
  expect(() => frechetDistance({ a, b: Float32Array.of(1, Number.NaN), dimensions: 1 })).toThrow(
    'feature 0 of picture 1',
  );
});
