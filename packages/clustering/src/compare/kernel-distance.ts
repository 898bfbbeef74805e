// The kernel distance of two sets of pictures (KID): unbiased, so that it can be compared between numbers of pictures.
import { checkPair, dot, type RowPair } from './rows.js';

/** A distance and its standard error. */
export interface DistanceEstimate {
  readonly mean: number;
  readonly standardError: number;
}

/**
 * The squared maximum mean discrepancy with the kernel (x · y / D + 1)³ (Bińkowski et al. 2018, arXiv 1801.01401, §4). The
 * estimate is unbiased: it is 0 on average, and may be negative, for two sets of one distribution. The standard error is the
 * jackknife's, leaving out each picture in turn.
 * @param pair - features [N, D] and [M, D], at least 3 rows each
 * @throws ClusteringError for features that are not rows of finite numbers, or fewer rows
 */
export function kernelDistance(pair: RowPair): DistanceEstimate {
  const { n, m } = checkPair('kernelDistance', pair, 3);
  const { a, b, dimensions } = pair;
  const kernel = (x: Float32Array, i: number, y: Float32Array, j: number) =>
    (dot(x, i, y, j, dimensions) / dimensions + 1) ** 3;
  const within = (x: Float32Array, count: number) => {
    const rows = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const value = kernel(x, i, x, j);
        rows[i]! += value;
        rows[j]! += value;
      }
    }
    return rows;
  };
  const [aa, bb] = [within(a, n), within(b, m)];
  const [ab, ba] = [new Float64Array(n), new Float64Array(m)];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const value = kernel(a, i, b, j);
      ab[i]! += value;
      ba[j]! += value;
    }
  }
  const [sumA, sumB, sumAB] = [total(aa), total(bb), total(ab)];
  const of = (inA: number, inB: number, across: number, p: number, q: number) =>
    inA / (p * (p - 1)) + inB / (q * (q - 1)) - (2 * across) / (p * q);
  const withoutA = aa.map((row, i) => of(sumA - 2 * row, sumB, sumAB - ab[i]!, n - 1, m));
  const withoutB = bb.map((row, j) => of(sumA, sumB - 2 * row, sumAB - ba[j]!, n, m - 1));
  return {
    mean: of(sumA, sumB, sumAB, n, m),
    standardError: Math.sqrt(jackknife(withoutA) + jackknife(withoutB)),
  };
}

function jackknife(estimates: Float64Array): number {
  const mean = total(estimates) / estimates.length;
  const squares = estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return ((estimates.length - 1) / estimates.length) * squares;
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
