import { hostLog } from '../math/host.js';
import { exp, sqrt } from '../ops/arithmetic/functions.js';
import { where } from '../ops/where.js';
import type { Tensor } from '../tensor.js';
import { belowOne, fromZero, requireNumbers } from './numbers.js';
import { type Optimizer, optimizerOf } from './optimizer.js';
import { type Schedule, scheduleOf } from './schedule.js';

/** Options of {@link adamw}. */
export interface AdamWOptions {
  readonly learningRate: number | Schedule;
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** How much of the rate pulls the parameters to zero, apart from the gradient. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam with decoupled weight decay. Loshchilov and Hutter, https://arxiv.org/abs/1711.05101, Algorithm 2, with the
 * decay multiplied by the learning rate as PyTorch does (θ ← θ − η λ θ). State: m and v, as packed tensors.
 * @throws ValueError for decays outside [0, 1), a negative eps or weight decay, or a learning rate that is not a number ≥ 0
 */
export function adamw(options: AdamWOptions): Optimizer {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, weightDecay = 0 } = options;
  checkAdamW('adamw', options);
  const schedule = scheduleOf(learningRate);
  return optimizerOf({
    keeps: ['m', 'v'],
    update({ params, gradients, moments, step }) {
      const m = moments.m!.mul(beta1).add(gradients.mul(1 - beta1));
      const v = moments.v!.mul(beta2).add(gradients.square().mul(1 - beta2));
      const rate = schedule(step);
      const kept = weightDecay === 0 ? params : params.mul(rate.mul(-weightDecay).add(1));
      return { params: kept.sub(adamStep(m, v, rate, step, options)), moments: { m, v } };
    },
  });
}

/** @throws ValueError for decays outside [0, 1), where Adam would divide by 0, and for a negative eps or weight decay */
export function checkAdamW(
  tag: string,
  { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 }: AdamWOptions,
): void {
  requireNumbers(tag, { beta1, beta2 }, belowOne);
  requireNumbers(tag, { eps, weightDecay }, fromZero);
}

/** How far Adam moves parameters of these moments, which have seen the gradients of `step` + 1 steps. */
export function adamStep(
  m: Tensor,
  v: Tensor,
  rate: Tensor,
  step: Tensor,
  { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 }: Omit<AdamWOptions, 'learningRate'>,
): Tensor {
  // The bias corrections are functions of the step in the state, so one plan serves all steps. They are folded into
  // two scalars: m̂ / (√v̂ + ε) = m · (√c₂ / c₁) / (√v + ε √c₂) with c = 1 − βᵗ.
  const t = step.add(1);
  const rootCorrection2 = sqrt(oneMinusPower(beta2, t));
  const size = rate.mul(rootCorrection2).div(oneMinusPower(beta1, t)); // []
  return m.mul(size).div(sqrt(v).add(rootCorrection2.mul(eps)));
}

/**
 * 1 − βᵗ for t ≥ 1. Where βᵗ is near 1 the difference would lose its digits (at β = 0.999, t = 1 four of seven), so
 * there it is the series of −expm1(−y) = y − y² / 2! + y³ / 3! − …, y = −t ln β.
 */
export function oneMinusPower(beta: number, t: Tensor): Tensor {
  if (beta === 0) return t.mul(0).add(1);
  const y = t.mul(-hostLog(beta));
  const small = y.minimum(0.5);
  let series = small.mul(-1 / 8).add(1);
  for (let k = 7; k >= 2; k--) {
    const factor = -1 / k;
    series = small.mul(series).mul(factor).add(1);
  }
  return where(y.less(0.5), small.mul(series), exp(y.neg()).rsub(1)); // next term: 0.5⁹ / 9! = 5e-9
}
