// Intervals: of a mean over pictures by the bootstrap, of a mean over seeds by Student's t.
import { hostBits, type Key } from '@paris/tensor';

/** The lower and the upper end. */
export type Interval = [low: number, high: number];

/** How sure an interval is, and how many resamples make it. */
const LEVEL = 0.95;
const RESAMPLES = 1000;

/**
 * The 95 % percentile bootstrap of a mean (Efron 1979, doi 10.1214/aos/1176344552): of 1000 resamples of the values with
 * replacement, the 2.5 % and 97.5 % quantiles of their means. The same key gives the same interval.
 */
export function bootstrapMean(values: ArrayLike<number>, key: Key): Interval {
  const n = values.length;
  const means = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    const bits = hostBits(key.foldIn(r), n);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[Math.floor((bits[i]! / 2 ** 32) * n)]!;
    means[r] = sum / n;
  }
  means.sort();
  return [quantile(means, (1 - LEVEL) / 2), quantile(means, (1 + LEVEL) / 2)];
}

/** A mean over independent values, and its 95 % interval by Student's t; undefined with fewer than two values. */
export function studentMean(values: readonly number[]): { mean: number; interval: Interval | undefined } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, interval: undefined };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const half = studentQuantile((1 + LEVEL) / 2, n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { mean, interval: [mean - half, mean + half] };
}

/**
 * The quantile of Student's t distribution, from 0.5 on, for a whole number of degrees of freedom: by bisection of the finite
 * series (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
 */
export function studentQuantile(probability: number, degrees: number): number {
  let [low, high] = [0, 1];
  while ((1 + centralProbability(high, degrees)) / 2 < probability) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if ((1 + centralProbability(middle, degrees)) / 2 < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(|T| ≤ t). */
function centralProbability(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, square] = [Math.sin(angle), Math.cos(angle) ** 2];
  const odd = degrees % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = 0;
  for (let power = odd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= (square * (power + 1)) / (power + 2);
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

/** By linear interpolation between sorted values. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
