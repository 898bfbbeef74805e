import { belowOne, fromZero, requireNumbers } from './numbers.js';
import { type Optimizer, optimizerOf } from './optimizer.js';
import { type Schedule, scheduleOf } from './schedule.js';

/** Options of {@link sgd}. */
export interface SgdOptions {
  readonly learningRate: number | Schedule;
  /** How much of the last step is kept. Default 0. */
  readonly momentum?: number;
  /** Looks ahead along the momentum. Default false. */
  readonly nesterov?: boolean;
  /** Added to the gradient, times the parameter: L2 regularisation. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent, with momentum as PyTorch has it: u ← μ u + g, θ ← θ − η u (Nesterov: θ − η (g + μ u)).
 * Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013,
 * equations 1–4, with the learning rate moved out of the momentum. State: u, as a packed tensor, if there is momentum.
 * @throws ValueError for a momentum outside [0, 1), a negative weight decay, or a learning rate that is not a number ≥ 0
 */
export function sgd(options: SgdOptions): Optimizer {
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  requireNumbers('sgd', { momentum }, belowOne);
  requireNumbers('sgd', { weightDecay }, fromZero);
  const schedule = scheduleOf(learningRate);
  return optimizerOf({
    keeps: momentum === 0 ? [] : ['u'],
    update({ params, gradients, moments, step }) {
      const g = weightDecay === 0 ? gradients : gradients.add(params.mul(weightDecay));
      const u = momentum === 0 ? g : moments.u!.mul(momentum).add(g);
      const direction = nesterov && momentum !== 0 ? g.add(u.mul(momentum)) : u;
      return { params: params.sub(direction.mul(schedule(step))), moments: momentum === 0 ? {} : { u } };
    },
  });
}
