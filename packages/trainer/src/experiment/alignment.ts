// Whether the experts that a policy picks are those that know the picture best (arXiv 2602.02685).
import type { RoutingPolicy } from '@paris/router';
import type { Key } from '@paris/tensor';
import { type Measurements, policyWeights } from '../evaluate/arms.js';

/** Errors of experts by whether they were picked, means over pictures and noise levels. */
export interface Alignment {
  /** Mean squared error of an expert that runs. */
  pickedLoss: number;
  /** Of one that does not; absent where all run. */
  unpickedLoss?: number;
  /** Share of pictures and noise levels at which the best expert is among those that run. */
  bestPicked: number;
  /** Mean squared difference of two experts' velocities. */
  disagreement: number;
}

/** @param policy - what picks; an expert of weight 0 is not picked */
export function experimentAlignment(m: Measurements, policy: RoutingPolicy, key: Key): Alignment {
  const { clusters, gram } = m;
  const weights = policyWeights(m, policy, key);
  const places = weights.length / clusters;
  const [picked, unpicked] = [new Sum(), new Sum()];
  const [best, apart] = [new Sum(), new Sum()];
  for (let at = 0; at < places; at++) {
    const product = (j: number, k: number) => gram[(at * clusters + j) * clusters + k]!;
    const own = Array.from({ length: clusters }, (_, k) => product(k, k));
    for (const [k, loss] of own.entries()) (weights[at * clusters + k]! > 0 ? picked : unpicked).add(loss);
    best.add(weights[at * clusters + own.indexOf(Math.min(...own))]! > 0 ? 1 : 0);
    for (let j = 0; j < clusters; j++) {
      for (let k = 0; k < j; k++) apart.add(own[j]! + own[k]! - 2 * product(j, k)); // |e_j − e_k|² = |v_j − v_k|²
    }
  }
  return {
    pickedLoss: picked.mean,
    ...(unpicked.count > 0 && { unpickedLoss: unpicked.mean }),
    bestPicked: best.mean,
    disagreement: apart.mean,
  };
}

class Sum {
  count: number = 0;
  private total = 0;

  add(value: number): void {
    this.total += value;
    this.count++;
  }

  get mean(): number {
    return this.total / this.count;
  }
}
