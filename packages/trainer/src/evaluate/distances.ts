// How far one set of pictures is from the held-out ones, by several measures, each with an interval where one can be had.
import {
  clippedCoverage,
  clippedShares,
  coverageOf,
  coverageShares,
  frechetDistance,
  kernelDistance,
  slicedWasserstein,
} from '@paris/clustering';
import { hostBits, type Key } from '@paris/tensor';
import type { Estimate } from './evaluation.js';
import { bootstrapMean, type Interval } from './intervals.js';

/** How far one set of pictures is from the held-out ones. All of them depend on the encoder and the number of pictures. */
export interface PictureDistances {
  /** The kernel distance (KID), unbiased: 0 for pictures of the same kind. */
  kernel: Estimate;
  /** The sliced Wasserstein distance (MIND, arXiv 2605.06797). */
  slicedWasserstein: number;
  /** The Fréchet distance, biased upwards at few pictures. */
  frechet: number;
  /** Whether pictures lie where held-out ones do: about 1 for the same kind. */
  density: number;
  /** Share of the held-out pictures that have one near. */
  coverage: number;
  /** The same two without outliers, as shares of good pictures (arXiv 2507.01761). */
  clippedDensity: number;
  clippedCoverage: number;
}

/** 95 % intervals of {@link PictureDistances}, but for the Fréchet distance: at few pictures its bias is larger than its spread. */
export interface DistanceIntervals {
  kernel: Interval;
  slicedWasserstein: Interval;
  density: Interval;
  coverage: Interval;
  clippedDensity: Interval;
  clippedCoverage: Interval;
}

/**
 * @param real - features of held-out pictures, [N, dimensions]
 * @param drawn - features of the pictures that are measured, [M, dimensions]
 */
export function pictureDistances(
  real: Float32Array,
  drawn: Float32Array,
  dimensions: number,
  seed: number,
): PictureDistances {
  const pair = { a: drawn, b: real, dimensions };
  const clipped = clippedCoverage(real, drawn, dimensions);
  return {
    kernel: kernelDistance(pair),
    slicedWasserstein: slicedWasserstein(pair, { seed }),
    frechet: frechetDistance(pair),
    ...coverageOf(real, drawn, dimensions),
    clippedDensity: clipped.density,
    clippedCoverage: clipped.coverage,
  };
}

/** Resamples and directions of the sliced distance's standard error. */
const [RESAMPLES, DIRECTIONS] = [100, 32];
/** Of a normal distribution: 95 % lie within so many standard errors. */
const NORMAL = 1.96;

/**
 * The bootstrap over pictures: percentiles where a measure is a mean over them. The kernel distance has its jackknife error,
 * the sliced one that of resampled drawn pictures; both are taken as normal, since resampled pictures repeat and so are
 * farther from the real ones than new ones would be.
 */
export function distanceIntervals(
  real: Float32Array,
  drawn: Float32Array,
  dimensions: number,
  { distances, key }: { distances: PictureDistances; key: Key },
): DistanceIntervals {
  const around = (mean: number, error: number): Interval => [mean - NORMAL * error, mean + NORMAL * error];
  const [plain, clipped] = [coverageShares(real, drawn, dimensions), clippedShares(real, drawn, dimensions)];
  const covered = bootstrapMean(clipped.real, key.foldIn(2));
  const ends = bootstrapMean(clipped.drawn, key.foldIn(1)).map((end) => Math.min(end, 1)) as Interval;
  return {
    kernel: around(distances.kernel.mean, distances.kernel.standardError),
    slicedWasserstein: around(distances.slicedWasserstein, slicedError(real, drawn, dimensions, key.foldIn(0))),
    density: bootstrapMean(plain.drawn, key.foldIn(1)),
    coverage: bootstrapMean(plain.real, key.foldIn(2)),
    clippedDensity: ends,
    clippedCoverage: covered.map((end) => clipped.calibrate(end)) as Interval,
  };
}

/** The standard deviation of the sliced distance over resamples of the drawn pictures. */
function slicedError(real: Float32Array, drawn: Float32Array, dimensions: number, key: Key): number {
  const count = drawn.length / dimensions;
  const values = Array.from({ length: RESAMPLES }, (_, r) => {
    const bits = hostBits(key.foldIn(r), count);
    const rows = new Float32Array(drawn.length);
    for (const [i, each] of bits.entries()) {
      const row = Math.floor((each / 2 ** 32) * count);
      rows.set(drawn.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
    }
    return slicedWasserstein({ a: rows, b: real, dimensions }, { directions: DIRECTIONS });
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / RESAMPLES;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (RESAMPLES - 1));
}
