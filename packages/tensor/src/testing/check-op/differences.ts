// Slopes of a graph by central differences of its float64 reading.
import type { Value } from '../../graph/node.js';
import { hostNormal, key } from '../../random/index.js';
import type { Tensor } from '../../tensor.js';
import { interpret } from '../interpret.js';

export interface Difference {
  /** For each parameter. */
  readonly direction: readonly Float32Array[];
  readonly slope: number;
}

const step = 1e-5;

/** Slopes of a scalar along three random directions; those along which it has a kink or a step are only counted. */
export function centralDifferences(
  loss: Tensor,
  params: readonly Tensor[],
  leaves: ReadonlyMap<Value, ArrayLike<number>>,
  seed: number,
): { found: readonly Difference[]; kinks: number } {
  const found: Difference[] = [];
  for (let number = 0; number < 3; number++) {
    const direction = params.map(({ size }, i) => hostNormal(key(seed * 100 + number * 10 + i), size));
    const at = (offset: number) => {
      const moved = new Map(leaves);
      params.forEach((param, i) => {
        moved.set(
          param,
          Float64Array.from(leaves.get(param)!, (x, j) => x + offset * direction[i]![j]!),
        );
      });
      return interpret([loss], { leaves: moved })[0]![0]!;
    };
    const [low, middle, high] = [at(-step), at(0), at(step)];
    const [lower, higher] = [at(-step / 2), at(step / 2)];
    const slope = (high - low) / (2 * step);
    // A jump shows in a slope that grows as the step shrinks. A kink shows in slopes that differ between the sides and
    // keep differing: of a smooth function the difference halves with the step.
    const jump = (higher - lower) / step - slope;
    const kink = (higher - 2 * middle + lower) / (step / 2) - (high - 2 * middle + low) / step / 2;
    const size = Math.max(Math.abs(slope), 1e-2);
    const smooth = Math.abs(jump) <= 1e-2 * size && Math.abs(kink) <= 1e-5 * size + 1e-8 * Math.abs(middle);
    if (smooth) found.push({ direction, slope });
  }
  return { found, kinks: 3 - found.length };
}

/** Σ g · d over all parameters, and Σ |g · d|, from which its rounding comes. */
export function alongDirection(
  gradients: readonly ArrayLike<number>[],
  direction: readonly Float32Array[],
): { along: number; scale: number } {
  let [along, scale] = [0, 0];
  gradients.forEach((gradient, i) => {
    direction[i]!.forEach((d, j) => {
      along += gradient[j]! * d;
      scale += Math.abs(gradient[j]! * d);
    });
  });
  return { along, scale };
}
