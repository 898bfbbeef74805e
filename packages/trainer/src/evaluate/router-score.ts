// The router's accuracy, plain and balanced over clusters, and its calibration error.
import { key } from '@paris/tensor';
import type { Measurements } from './arms.js';
import type { Evaluation, RouterScore } from './evaluation.js';
import { bootstrapMean } from './intervals.js';

/** @param labels - the true cluster of each picture, [N] */
export function scoreRouter(m: Measurements, labels: ArrayLike<number>): Evaluation['router'] {
  const all = m.times.map((_, t) => t);
  const sizes = new Map<number, number>();
  for (const label of Array.from(labels)) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return {
    ...scoreAt(m, labels, all),
    accuracyInterval: bootstrapMean(rightByPicture(m, labels), key(0)),
    majorityShare: Math.max(...sizes.values()) / m.count,
    byTime: m.times.map((time, t) => ({ time, ...scoreAt(m, labels, [t]) })),
  };
}

/** Equal parts of [0, 1] for the confidence, as in arXiv 1706.04599 §6. */
const CALIBRATION_BINS = 15;

function scoreAt(m: Measurements, labels: ArrayLike<number>, timeIndices: readonly number[]): RouterScore {
  const { count, clusters, probabilities } = m;
  const [right, seen] = [new Float64Array(clusters), new Float64Array(clusters)];
  const surplus = new Float64Array(CALIBRATION_BINS); // Σ confidence − Σ right
  let crossEntropy = 0;
  for (const t of timeIndices) {
    for (let n = 0; n < count; n++) {
      const start = (t * count + n) * clusters;
      const own = probabilities.subarray(start, start + clusters);
      const label = labels[n]!;
      seen[label]! += 1;
      const confidence = Math.max(...own);
      const isRight = own.indexOf(confidence) === label;
      if (isRight) right[label]! += 1;
      const bin = Math.min(Math.floor(confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1);
      surplus[bin]! += confidence - (isRight ? 1 : 0);
      crossEntropy -= Math.log(Math.max(own[label]!, 1e-30)); // an f32 probability may round to 0
    }
  }
  const present = Array.from(seen.keys()).filter((k) => seen[k]! > 0);
  const total = timeIndices.length * count;
  return {
    accuracy: right.reduce((sum, value) => sum + value, 0) / total,
    balancedAccuracy: present.reduce((sum, k) => sum + right[k]! / seen[k]!, 0) / present.length,
    crossEntropy: crossEntropy / total,
    calibrationError: surplus.reduce((sum, value) => sum + Math.abs(value), 0) / total,
  };
}

/** Of each picture, the share of noise levels at which its cluster is on top. */
function rightByPicture({ count, clusters, times, probabilities }: Measurements, labels: ArrayLike<number>): number[] {
  return Array.from({ length: count }, (_, n) => {
    const right = times.filter((_, t) => {
      const own = probabilities.subarray((t * count + n) * clusters, (t * count + n + 1) * clusters);
      return own.indexOf(Math.max(...own)) === labels[n];
    });
    return right.length / times.length;
  });
}
