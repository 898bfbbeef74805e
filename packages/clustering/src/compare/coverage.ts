// Whether drawn pictures lie where real ones are (density), and whether they are found around all real ones (coverage).

import { ClusteringError } from '../errors.js';
import { checkCount } from '../kmeans/check.js';
import { distance } from '../kmeans/rows.js';
import { checkPair, mean } from './rows.js';

/** How faithful and how varied drawn pictures are. */
export interface Coverage {
  /** How many real neighbourhoods a drawn picture is in, on average, over `neighbours`: about 1 for pictures of the same kind. */
  readonly density: number;
  /** Share of the real pictures that have a drawn one in their neighbourhood, in [0, 1]. */
  readonly coverage: number;
}

/** What each picture adds: density is the mean over drawn ones, coverage the mean over real ones. */
export interface CoverageShares {
  /** The real neighbourhoods that each drawn picture is in, over `neighbours`, [M]. */
  readonly drawn: Float64Array;
  /** 1 for each real picture that has a drawn one in its neighbourhood, else 0, [N]. */
  readonly real: Float64Array;
}

/**
 * Density and coverage (Naeem et al. 2020, arXiv 2002.09797, eq. 3 and 5). A real picture's neighbourhood reaches to its k-th
 * nearest real picture, itself not counted.
 * @param real - features [N, dimensions], more than `neighbours` rows
 * @param drawn - features [M, dimensions]
 * @throws ClusteringError for features that are not rows of finite numbers, or too few real ones
 */
export function coverageOf(real: Float32Array, drawn: Float32Array, dimensions: number, neighbours = 5): Coverage {
  const shares = coverageShares(real, drawn, dimensions, neighbours);
  return { density: mean(shares.drawn), coverage: mean(shares.real) };
}

/** What {@link coverageOf} means, picture by picture: for intervals. @throws as it does */
export function coverageShares(
  real: Float32Array,
  drawn: Float32Array,
  dimensions: number,
  neighbours = 5,
): CoverageShares {
  const { n, m } = checkPair('coverageOf', { a: real, b: drawn, dimensions }, 1);
  checkCount('coverageOf', 'neighbours', neighbours);
  if (n <= neighbours)
    throw new ClusteringError('coverageOf', `more than ${neighbours} real pictures are needed, got ${n}.`);
  const shares = { drawn: new Float64Array(m), real: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const others = Float64Array.from({ length: n }, (_, j) => distance(real, i, real, j, dimensions));
    others[i] = Number.POSITIVE_INFINITY;
    const radius = others.sort()[neighbours - 1]!;
    for (let j = 0; j < m; j++) {
      if (distance(real, i, drawn, j, dimensions) > radius) continue;
      shares.drawn[j]! += 1 / neighbours;
      shares.real[i] = 1;
    }
  }
  return shares;
}
