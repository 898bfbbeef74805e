// The sliced Wasserstein distance of two sets of pictures: how far mass must move along random directions.
import { hostNormal, key } from '@paris/tensor';
import { checkPair, dot, type RowPair } from './rows.js';

/** How many directions, and which. */
export interface SlicedOptions {
  /** Default 256. */
  readonly directions?: number;
  readonly seed?: number;
}

/**
 * The root of the mean over random directions of the squared 2-Wasserstein distance of both projections (Bonneel et al. 2015,
 * doi 10.1007/s10851-014-0506-3; of picture features in arXiv 2605.06797). In the unit of the features; unlike a Fréchet
 * distance it takes no distribution to be normal. The same seed gives the same directions.
 * @param pair - features [N, D] and [M, D]
 * @throws ClusteringError for features that are not rows of finite numbers
 */
export function slicedWasserstein(pair: RowPair, { directions = 256, seed = 0 }: SlicedOptions = {}): number {
  const { n, m } = checkPair('slicedWasserstein', pair, 1);
  const { a, b, dimensions } = pair;
  const drawn = hostNormal(key(seed), directions * dimensions);
  let sum = 0;
  for (let k = 0; k < directions; k++) {
    const length = Math.sqrt(dot(drawn, k, drawn, k, dimensions));
    const along = (rows: Float32Array, count: number) =>
      Float64Array.from({ length: count }, (_, i) => dot(rows, i, drawn, k, dimensions) / length).sort();
    sum += squaredWasserstein(along(a, n), along(b, m));
  }
  return Math.sqrt(sum / directions);
}

/** ∫ (F⁻¹(u) − G⁻¹(u))² du of sorted samples, which need not be equally many. */
function squaredWasserstein(x: Float64Array, y: Float64Array): number {
  const [n, m] = [x.length, y.length];
  let sum = 0;
  let [i, j, from] = [0, 0, 0]; // quantiles in whole parts of n · m
  while (i < n && j < m) {
    const [endX, endY] = [(i + 1) * m, (j + 1) * n];
    const to = Math.min(endX, endY);
    sum += (to - from) * (x[i]! - y[j]!) ** 2;
    if (endX === to) i++;
    if (endY === to) j++;
    from = to;
  }
  return sum / (n * m);
}
