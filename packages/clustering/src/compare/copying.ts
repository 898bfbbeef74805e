// Whether drawn pictures are nearer to the pictures that were learned than other real pictures are: memorization.
import { distance } from '../kmeans/rows.js';
import { checkPair } from './rows.js';

/** Each picture's nearest one among those that were learned. */
export interface Nearest {
  /** Row of the nearest. */
  readonly row: number;
  readonly distance: number;
}

/** What {@link copyingTest} finds. */
export interface CopyingTest {
  /** For each drawn picture. */
  readonly drawn: readonly Nearest[];
  /** For each held-out picture. */
  readonly heldOut: readonly Nearest[];
  /** P(a drawn picture is nearer to what was learned than a held-out one is), ties counted half: ½ without copying. */
  readonly nearer: number;
  /** How likely as many nearer ones would be without copying: below 0.01 the model copies. One-sided, normal approximation. */
  readonly pValue: number;
}

/**
 * Compares the distances of drawn and of held-out pictures to their nearest learned picture by the rank sum (Mann–Whitney), as
 * Meehan et al. 2020 (arXiv 2004.05675, §3) test a model for data-copying.
 * @param learned - features [N, dimensions]
 * @param drawn - features [M, dimensions]
 * @param heldOut - features [H, dimensions] that no training saw
 * @throws ClusteringError for features that are not rows of finite numbers
 */
export function copyingTest(
  learned: Float32Array,
  drawn: Float32Array,
  heldOut: Float32Array,
  dimensions: number,
): CopyingTest {
  const nearest = (rows: Float32Array) => nearestAmong(learned, rows, dimensions);
  const [ours, theirs] = [nearest(drawn), nearest(heldOut)];
  const [m, h] = [ours.length, theirs.length];
  const all = [
    ...ours.map(({ distance }) => ({ distance, drawn: true })),
    ...theirs.map(({ distance }) => ({ distance, drawn: false })),
  ].sort((a, b) => a.distance - b.distance);
  let [ranks, ties] = [0, 0];
  for (let start = 0, end = 0; start < all.length; start = end) {
    while (end < all.length && all[end]!.distance === all[start]!.distance) end++;
    const count = end - start;
    ranks += ((start + 1 + end) / 2) * all.slice(start, end).filter((each) => each.drawn).length;
    ties += count ** 3 - count;
  }
  // U: pairs of a drawn and a held-out picture of which the held-out one is nearer.
  const u = ranks - (m * (m + 1)) / 2;
  const total = m + h;
  const variance = ((m * h) / 12) * (total + 1 - ties / (total * Math.max(1, total - 1)));
  const z = variance > 0 ? (u - (m * h) / 2) / Math.sqrt(variance) : 0;
  return { drawn: ours, heldOut: theirs, nearer: 1 - u / (m * h), pValue: normalBelow(z) };
}

function nearestAmong(learned: Float32Array, rows: Float32Array, dimensions: number): Nearest[] {
  const { n, m } = checkPair('copyingTest', { a: learned, b: rows, dimensions }, 1);
  return Array.from({ length: m }, (_, i) => {
    let best: Nearest = { row: 0, distance: Number.POSITIVE_INFINITY };
    for (let row = 0; row < n; row++) {
      const apart = distance(rows, i, learned, row, dimensions);
      if (apart < best.distance) best = { row, distance: apart };
    }
    return best;
  });
}

/** P(Z ≤ z) of a standard normal, to 1.2e-7 (Numerical Recipes, §6.2: erfc by a Chebyshev fit). */
function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const fit = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ].reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = (t * Math.exp(-x * x + fit)) / 2;
  return z > 0 ? 1 - tail : tail;
}
