// Gradients in f16 without losing the small ones: the loss is scaled up before it is differentiated, and the scale adjusts
// itself. All of it happens on the device; nothing is read back.
import { finite, logicalAnd } from '../ops/compare/comparisons.js';
import { min } from '../ops/reduce/reductions.js';
import { where } from '../ops/where.js';
import type { Tensor } from '../tensor.js';
import { aboveZero, requireNumbers, wholeFromOne } from './numbers.js';
import { type Optimizer, optimizerOf, type TrainState } from './optimizer.js';

/** Options of {@link dynamicLossScale}. */
export interface LossScaleOptions {
  /** The first scale, best a power of two. Default 2¹⁵. */
  readonly initial?: number;
  /** After this many steps without overflow the scale doubles. Default 2000. */
  readonly growthInterval?: number;
}

/** An optimizer that takes the gradients of a scaled loss. */
export interface ScaledOptimizer extends Optimizer {
  /** The loss times the state's scale, in f32: what to take the gradient of. */
  scale<P>(loss: Tensor, state: TrainState<P>): Tensor;
}

/**
 * Wraps an optimizer for training in f16: gradients are divided by the scale again before any clipping; where one is not
 * finite, the step is left out (parameters, moments and step counter stay as they were) and the scale halves. Micikevicius
 * et al., "Mixed precision training", https://arxiv.org/abs/1710.03740, §3.2. State: lossScale and goodSteps, f32 [].
 * @throws ValueError for a scale that is not a number above 0, or an interval that is not a whole number ≥ 1
 */
export function dynamicLossScale(optimizer: Optimizer, options: LossScaleOptions = {}): ScaledOptimizer {
  const { initial = 2 ** 15, growthInterval = 2000 } = options;
  requireNumbers('dynamicLossScale', { initial }, aboveZero);
  requireNumbers('dynamicLossScale', { growthInterval }, wholeFromOne);
  const { rule } = optimizer;
  const scaled = optimizerOf({
    ...rule,
    numbers: { ...rule.numbers, lossScale: initial, goodSteps: 0 },
    update(step) {
      const { lossScale, goodSteps, ...moments } = step.moments as { lossScale: Tensor; goodSteps: Tensor };
      const sound = allFinite(step.gradients);
      const next = rule.update({ ...step, moments, gradients: step.gradients.div(lossScale) });
      const keptUnless = (fresh: Tensor, old: Tensor) => where(sound, fresh, old);
      const kept = Object.entries<Tensor>(moments).map(([name, old]) => [name, keptUnless(next.moments[name]!, old)]);
      const grows = goodSteps.add(1).greaterEqual(growthInterval);
      const [twice, half] = [lossScale.mul(2), lossScale.mul(0.5).maximum(Math.min(1, initial))];
      const grown = where(finite(twice), twice, lossScale);
      return {
        params: keptUnless(next.params, step.params),
        moments: {
          ...Object.fromEntries(kept),
          lossScale: where(sound, where(grows, grown, lossScale), half),
          goodSteps: where(sound, where(grows, 0, goodSteps.add(1)), 0),
        },
        taken: next.taken ? logicalAnd(sound, next.taken) : sound,
      };
    },
  });
  return { ...scaled, scale: (loss, state) => loss.cast('f32').mul(state.optimizer.lossScale!) };
}

/** Whether every element is finite: bool []. */
function allFinite(x: Tensor): Tensor {
  return min(finite(x).cast('u32')).cast('bool');
}
