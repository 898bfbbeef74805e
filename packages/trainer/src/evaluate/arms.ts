// From measurements to losses. Per picture and time there is the Gram matrix of the experts' errors,
// G[j, k] = ⟨v_j − u, v_k − u⟩ / D. Weights that sum to 1 then have the mean squared error
// |Σ w_k v_k − u|² / D = |Σ w_k (v_k − u)|² / D = wᵀ G w: every arm is a quadratic form, and no expert runs twice.

import { parseRoutingPolicy, type RoutingPolicy } from '@paris/router';
import { type Key, key, ValueError } from '@paris/tensor';
import type { Estimate } from './evaluation.js';
import { bootstrapMean } from './intervals.js';

/** What the experts and the router say about each picture at each time. */
export interface Measurements {
  /** N */
  count: number;
  /** K */
  clusters: number;
  /** T noise levels. */
  times: readonly number[];
  /** G, [T, N, K, K] */
  gram: Float32Array;
  /** p(k | x_t, t), [T, N, K] */
  probabilities: Float32Array;
}

/** Loss of each picture at each time, [T, N]. */
export type Losses = Float64Array;

/** Expert `k` alone on all pictures. */
export function expertLosses({ count, clusters, times, gram }: Measurements, k: number): Losses {
  return Float64Array.from({ length: times.length * count }, (_, at) => gram[(at * clusters + k) * clusters + k]!);
}

/**
 * The weights of the experts under a policy, [T, N, K]. With `weightsOf`, picture n gets the weights of picture weightsOf[n]:
 * what is left when the router's knowledge of the picture is taken away and everything else stays.
 */
export function policyWeights(m: Measurements, policy: RoutingPolicy, key: Key, weightsOf?: Uint32Array): Float32Array {
  const { count, clusters, times, probabilities } = m;
  const all = new Float32Array(times.length * count * clusters);
  times.forEach((time, t) => {
    for (let n = 0; n < count; n++) {
      const from = weightsOf ? weightsOf[n]! : n;
      const start = (t * count + from) * clusters;
      const own = probabilities.subarray(start, start + clusters);
      const weights = policy(own, { imageIndex: from, step: t, evaluation: 0, time, key: key.foldIn(from).foldIn(t) });
      all.set(weights, (t * count + n) * clusters);
    }
  });
  return all;
}

/** The losses of mixtures with these weights, [T, N, K]. */
export function weightedLosses({ clusters, gram }: Measurements, weights: Float32Array): Losses {
  return Float64Array.from({ length: weights.length / clusters }, (_, at) => {
    return quadraticForm(gram, at * clusters * clusters, weights.subarray(at * clusters, (at + 1) * clusters));
  });
}

/** The mixture under a policy; `weightsOf` as in {@link policyWeights}. */
export function policyLosses(m: Measurements, policy: RoutingPolicy, key: Key, weightsOf?: Uint32Array): Losses {
  return weightedLosses(m, policyWeights(m, policy, key, weightsOf));
}

/** Means over times for each picture, then over pictures: pictures are what is independent. */
export function estimate(losses: Losses, count: number): Estimate {
  return meanAndError(perPicture(losses, count));
}

/** Of the difference of two arms that saw the same pictures, times and noise. */
export function pairedDifference(a: Losses, b: Losses, count: number): Estimate {
  const [left, right] = [perPicture(a, count), perPicture(b, count)];
  return meanAndError(left.map((value, n) => value - right[n]!));
}

/** Means over pictures, by time. */
export function byTime(losses: Losses, count: number): number[] {
  return Array.from({ length: losses.length / count }, (_, t) => {
    return losses.subarray(t * count, (t + 1) * count).reduce((sum, value) => sum + value, 0) / count;
  });
}

/** The policies of `--compare`, by name; with fewer experts than a top-k asks for, all of them. */
export function namedPolicy(name: string, clusters: number): RoutingPolicy {
  return parseRoutingPolicy(name.replace(/^top(\d+)/, (_, k) => `top${Math.min(Number(k), clusters)}`));
}

/**
 * A permutation in one cycle, so that nothing stays in its place (Sattolo 1986).
 * @throws ValueError for fewer than two
 */
export function derangement(count: number, key: Key): Uint32Array {
  if (count < 2) throw new ValueError('evaluate', `${count} held-out picture cannot be permuted. Hold out more.`);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(key.foldIn(i).uniform() * i); // below i: never in its place
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** wᵀ G w in double precision; experts of weight zero are not looked at. */
function quadraticForm(gram: Float32Array, start: number, weights: Float32Array): number {
  const clusters = weights.length;
  let sum = 0;
  for (let j = 0; j < clusters; j++) {
    if (weights[j] === 0) continue;
    for (let k = 0; k < clusters; k++) {
      if (weights[k] !== 0) sum += weights[j]! * weights[k]! * gram[start + j * clusters + k]!;
    }
  }
  return sum;
}

/** Means over times, by picture [N]. */
function perPicture(losses: Losses, count: number): number[] {
  const times = losses.length / count;
  return Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let t = 0; t < times; t++) sum += losses[t * count + n]!;
    return sum / times;
  });
}

function meanAndError(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    standardError: n > 1 ? Math.sqrt(squares / (n - 1) / n) : Number.POSITIVE_INFINITY,
    interval: bootstrapMean(values, key(0)), // the same resamples for every arm
  };
}
