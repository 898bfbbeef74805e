// Do clusters follow a label that they were not made from? Mutual information, and what chance would give.
import { key, ValueError } from '@paris/tensor';
import { draws, shuffle } from '../draws.js';

/** Mutual information of two labellings of the same pictures. */
export interface Information {
  /** I(A; B) = Σ p(a, b) · ln(p(a, b) / (p(a) p(b))), in nats. */
  readonly nats: number;
  /** I(A; B) / ((H(A) + H(B)) / 2), in [0, 1]: "arithmetic" normalisation (Strehl & Ghosh 2002 use √(H(A)·H(B))). */
  readonly normalised: number;
}

/** What random partitions of the same sizes reach. */
export interface InformationControl extends Information {
  /** The given quantile of the random partitions' mutual information, in nats. */
  readonly threshold: number;
  /** The same quantile, normalised. */
  readonly normalisedThreshold: number;
  readonly quantile: number;
  readonly partitions: number;
  /** Whether the clusters' mutual information with the label exceeds that quantile of random partitions. */
  readonly semantic: boolean;
}

/**
 * Mutual information of clusters and any other label, such as a category's name.
 * @throws ValueError if the two lists have different lengths, or are empty
 */
export function mutualInformation(
  clusters: ArrayLike<number | string>,
  labels: ArrayLike<number | string>,
): Information {
  const [a, b] = [numbered(clusters), numbered(labels)];
  checkLengths(a.ids.length, b.ids.length);
  return informationOf(a, b);
}

/**
 * The mutual information, and the quantile of it over random partitions with the same cluster sizes. The random
 * partitions are permutations of the clusters, drawn from `seed`.
 * @throws ValueError as {@link mutualInformation} does; for no partitions; for a quantile outside (0, 1]
 */
export function randomPartitionControl(
  clusters: ArrayLike<number | string>,
  labels: ArrayLike<number | string>,
  options: { readonly seed?: number; readonly partitions?: number; readonly quantile?: number } = {},
): InformationControl {
  const { seed = 0, partitions = 1000, quantile = 0.99 } = options;
  if (!Number.isInteger(partitions) || partitions < 1) {
    throw new ValueError('randomPartitionControl', `partitions is ${partitions}. Give a whole number from 1 on.`);
  }
  if (!(quantile > 0 && quantile <= 1)) {
    throw new ValueError('randomPartitionControl', `quantile is ${quantile}. Give a number in (0, 1].`);
  }
  const [a, b] = [numbered(clusters), numbered(labels)];
  checkLengths(a.ids.length, b.ids.length);
  const observed = informationOf(a, b);
  const next = draws(key(seed));
  const shuffled = { ...a, ids: a.ids.slice() };
  const nats = new Float64Array(partitions);
  for (let i = 0; i < partitions; i++) {
    shuffle(shuffled.ids, next);
    nats[i] = informationOf(shuffled, b).nats;
  }
  // The smallest value that at least `quantile` of the partitions do not exceed.
  const threshold = nats.sort()[Math.ceil(quantile * partitions) - 1]!;
  const scale = observed.nats > 0 ? observed.normalised / observed.nats : 0; // the entropies are the same for all
  const semantic = observed.nats > threshold;
  return { ...observed, threshold, normalisedThreshold: threshold * scale, quantile, partitions, semantic };
}

/** Labels as whole numbers from 0 on, and how often each occurs. */
interface Numbered {
  readonly ids: Uint32Array;
  readonly counts: Float64Array;
}

function numbered(labels: ArrayLike<number | string>): Numbered {
  const names = new Map<number | string, number>();
  const ids = Uint32Array.from(labels, (label) => {
    if (!names.has(label)) names.set(label, names.size);
    return names.get(label)!;
  });
  const counts = new Float64Array(names.size);
  for (const id of ids) counts[id]! += 1;
  return { ids, counts };
}

function informationOf(a: Numbered, b: Numbered): Information {
  const n = a.ids.length;
  const joint = new Float64Array(a.counts.length * b.counts.length);
  for (let i = 0; i < n; i++) joint[a.ids[i]! * b.counts.length + b.ids[i]!]! += 1;
  let nats = 0;
  for (let i = 0; i < a.counts.length; i++) {
    for (let j = 0; j < b.counts.length; j++) {
      const count = joint[i * b.counts.length + j]!;
      if (count > 0) nats += (count / n) * Math.log((count * n) / (a.counts[i]! * b.counts[j]!));
    }
  }
  nats = Math.max(nats, 0); // rounding may leave −1e-17
  const entropies = entropy(a.counts, n) + entropy(b.counts, n);
  return { nats, normalised: entropies > 0 ? (2 * nats) / entropies : 0 };
}

function entropy(counts: Float64Array, n: number): number {
  let sum = 0;
  for (const count of counts) if (count > 0) sum -= (count / n) * Math.log(count / n);
  return sum;
}

function checkLengths(clusters: number, labels: number): void {
  if (clusters !== labels) {
    throw new ValueError('mutualInformation', `${clusters} clusters for ${labels} labels. Pass one of each a picture.`);
  }
  if (clusters === 0) throw new ValueError('mutualInformation', 'there are no pictures. Pass at least one.');
}
