// Density and coverage that no outlier can raise, and that fall in proportion to the share of bad pictures.

import { ClusteringError } from '../errors.js';
import { checkCount } from '../kmeans/check.js';
import { distance } from '../kmeans/rows.js';
import { checkPair, mean } from './rows.js';

/** How faithful and how varied drawn pictures are, both in [0, 1] and read as a share of good pictures. */
export interface ClippedCoverage {
  /** Fidelity: 1 where drawn pictures lie as densely among real ones as these do among each other. */
  readonly density: number;
  /** Variety: the share of drawn pictures that, if they were real ones, would cover the real pictures as well. */
  readonly coverage: number;
}

/** What each picture adds, before calibration. */
export interface ClippedShares {
  /** Density is the smaller of 1 and the mean over drawn pictures, [M]. */
  readonly drawn: Float64Array;
  /** Coverage is {@link ClippedShares.calibrate} of the mean over real pictures, [N]. */
  readonly real: Float64Array;
  /** From a mean of `real` to a share of good pictures. */
  calibrate(covered: number): number;
}

/**
 * Clipped density and clipped coverage (Salvy et al. 2025, arXiv 2507.01761). Both count pairs of a real picture and a drawn one
 * in its neighbourhood, which reaches to the k-th nearest real picture, itself not counted.
 *
 * - Density: radii are at most their median, a drawn picture counts at most 1 (of k neighbourhoods), and the mean is divided
 *   by that of the real pictures themselves.
 * - Coverage: a real picture counts at most 1 (of k drawn ones), and the mean y is read as the share m / M at which m pictures
 *   of the real distribution have the expected value y. The mass of a neighbourhood is Beta(k, N − k) distributed, whatever
 *   the distribution, so the number of m pictures in it is beta-binomial.
 * @param real - features [N, dimensions], more than `neighbours` rows
 * @param drawn - features [M, dimensions]
 * @throws ClusteringError for features that are not rows of finite numbers, or too few real ones
 */
export function clippedCoverage(
  real: Float32Array,
  drawn: Float32Array,
  dimensions: number,
  neighbours = 5,
): ClippedCoverage {
  const shares = clippedShares(real, drawn, dimensions, neighbours);
  return { density: Math.min(mean(shares.drawn), 1), coverage: shares.calibrate(mean(shares.real)) };
}

/** What {@link clippedCoverage} means, picture by picture: for intervals. @throws as it does */
export function clippedShares(
  real: Float32Array,
  drawn: Float32Array,
  dimensions: number,
  neighbours = 5,
): ClippedShares {
  const { n, m } = checkPair('clippedCoverage', { a: real, b: drawn, dimensions }, 1);
  checkCount('clippedCoverage', 'neighbours', neighbours);
  if (n <= neighbours)
    throw new ClusteringError('clippedCoverage', `more than ${neighbours} real pictures are needed, got ${n}.`);
  const radii = new Float64Array(n);
  const among: Float64Array[] = [];
  for (let i = 0; i < n; i++) {
    const others = Float64Array.from({ length: n }, (_, j) => distance(real, i, real, j, dimensions));
    others[i] = Number.POSITIVE_INFINITY;
    among.push(others);
    radii[i] = others.slice().sort()[neighbours - 1]!;
  }
  const most = median(radii);
  const [ofDrawn, ofReal] = [new Uint32Array(m), new Uint32Array(n)]; // the neighbourhoods that each picture is in
  const covered = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const radius = Math.min(radii[i]!, most);
    let inside = 0;
    for (let j = 0; j < m; j++) {
      const apart = distance(real, i, drawn, j, dimensions);
      if (apart <= radius) ofDrawn[j]! += 1;
      if (apart <= radii[i]!) inside++;
    }
    covered[i] = Math.min(inside / neighbours, 1);
    for (let j = 0; j < n; j++) if (among[i]![j]! <= radius) ofReal[j]! += 1;
  }
  const clipped = (counts: Uint32Array) => Float64Array.from(counts, (count) => Math.min(count / neighbours, 1));
  const ideal = mean(clipped(ofReal));
  return {
    drawn: clipped(ofDrawn).map((share) => share / ideal),
    real: covered,
    calibrate: (share) => shareOfGood(share, { n, m, k: neighbours }),
  };
}

/** The smallest m for which m real pictures would be expected to cover at least as much, over M; 1 if none would. */
function shareOfGood(covered: number, { n, m, k }: { n: number; m: number; k: number }): number {
  let none = 1; // P(no one of `good` pictures is in a neighbourhood)
  for (let good = 0; good <= m; good++) {
    if (expectedCoverage(none, good, n, k) >= covered) return good / m;
    none *= (n - k + good) / (n + good);
  }
  return 1;
}

/** E[min(X, k)] / k of X ~ BetaBinomial(good, k, n − k), from P(X = 0). */
function expectedCoverage(none: number, good: number, n: number, k: number): number {
  let [below, sum, exactly] = [0, 0, none];
  for (let j = 0; j < k; j++) {
    below += exactly; // P(X ≤ j)
    sum += 1 - below;
    exactly *= ((good - j) / (j + 1)) * ((k + j) / (n - k + good - j - 1));
    if (j >= good) exactly = 0;
  }
  return sum / k;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
