// Muon: momentum whose matrices are made orthogonal. https://kellerjordan.github.io/posts/muon
import { sqrt } from '../ops/arithmetic/functions.js';
import { ones } from '../ops/creation/constant.js';
import { concat, split } from '../ops/view/parts.js';
import { where } from '../ops/where.js';
import type { Tensor } from '../tensor.js';
import { type AdamWOptions, adamStep, checkAdamW } from './adamw.js';
import { belowOne, fromZero, requireNumbers, wholeFromOne } from './numbers.js';
import { type Optimizer, optimizerOf, type ParameterPart } from './optimizer.js';
import { putRun, type Run, runsOf, takeRun } from './runs.js';
import { type Schedule, scheduleOf } from './schedule.js';

/** Options of {@link muon}. */
export interface MuonOptions {
  /** Of matrices; 0.02 is usual. Their updates have a norm of their own, so it is larger than Adam's. */
  readonly learningRate: number | Schedule;
  /** How much of the last step is kept. Default 0.95. */
  readonly momentum?: number;
  /** Looks ahead along the momentum. Default true. */
  readonly nesterov?: boolean;
  /** Steps of the Newton–Schulz iteration. Default 5. */
  readonly iterations?: number;
  /** How much of the rate pulls matrices to zero. Default 0. */
  readonly weightDecay?: number;
  /** For all other parameters. */
  readonly adamw: AdamWOptions;
  /**
   * Which parameters are matrices to it; axes behind the first count as one. Default: those with two axes whose path
   * names no embedding and no head or final layer, as its author recommends.
   */
  readonly isMatrix?: (part: ParameterPart) => boolean;
}

/** The quintic that brings singular values close to 1 fastest, in the author's words: a σ + b σ³ + c σ⁵. */
const [a, b, c] = [3.4445, -4.775, 2.0315];

/**
 * Muon for the matrices, AdamW for the rest: the momentum u ← μ u + (1 − μ) g, and its Nesterov look-ahead, is replaced
 * by the nearest orthogonal matrix, about, and scaled by √max(1, rows / columns). Jordan et al., "Muon: an optimizer
 * for hidden layers in neural networks", 2024. Matrices of one shape are iterated together: 17 dispatches for each
 * shape and a few for all, however many layers there are. State: m and v of AdamW; matrices keep their momentum in m, and do not use v.
 * @throws ValueError for invalid options, as {@link adamw} does
 */
export function muon(options: MuonOptions): Optimizer {
  const { momentum = 0.95, nesterov = true, iterations = 5, weightDecay = 0, isMatrix = isHidden } = options;
  const { beta1 = 0.9, beta2 = 0.999, weightDecay: otherDecay = 0 } = options.adamw;
  requireNumbers('muon', { momentum }, belowOne);
  requireNumbers('muon', { weightDecay }, fromZero);
  requireNumbers('muon', { iterations }, wholeFromOne);
  checkAdamW('muon', options.adamw);
  const [schedule, others] = [scheduleOf(options.learningRate), scheduleOf(options.adamw.learningRate)];
  return optimizerOf({
    keeps: ['m', 'v'],
    update({ params, gradients, moments, step, parts }) {
      const runs = runsOf(parts, (part) => part.shape.length > 1 && isMatrix(part));
      const together = (of: (run: Run, i: number) => Tensor) =>
        runs.map((run, i) => putRun(of(run, i), run, params.size)).reduce((x, y) => x.add(y), params.mul(0));
      const matrix = together(({ count, shape }) => ones([count, ...shape])).greater(0);
      const kept = where(matrix, momentum, beta1);
      const m = moments.m!.mul(kept).add(gradients.mul(kept.rsub(1)));
      const v = moments.v!.mul(beta2).add(gradients.square().mul(1 - beta2));
      const direction = nesterov ? m.mul(momentum).add(gradients.mul(1 - momentum)) : m;
      const taken = runs.map((run) => takeRun(direction, run));
      const orthogonal = orthogonalized(taken, iterations);
      const [rate, otherRate] = [schedule(step), others(step)];
      const ofMatrices = together((_, i) => orthogonal[i]!).mul(rate);
      const moved = where(matrix, ofMatrices, adamStep(m, v, otherRate, step, options.adamw));
      const decay = where(matrix, rate.mul(weightDecay), otherRate.mul(otherDecay));
      return { params: params.sub(params.mul(decay)).sub(moved), moments: { m, v } };
    },
  });
}

function isHidden({ path, shape }: ParameterPart): boolean {
  return shape.length === 2 && !/embed|head|final/i.test(path);
}

/** Stacks [count, rows, …], each matrix made orthogonal and scaled; those of one shape, or its transpose, as one stack. */
function orthogonalized(stacks: readonly Tensor[], iterations: number): Tensor[] {
  const flat = stacks.map((x) => x.reshape([x.shape[0]!, x.shape[1]!, -1]));
  const wide = flat.map((x) => (x.shape[1]! > x.shape[2]! ? x.transpose() : x));
  const results: Tensor[] = [];
  const shapes = new Set(wide.map((x) => String(x.shape.slice(1))));
  for (const shape of shapes) {
    const members = wide.flatMap((x, i) => (String(x.shape.slice(1)) === shape ? [i] : []));
    const joined = newtonSchulz(concat(members.map((i) => wide[i]!)), iterations);
    const counts = members.map((i) => wide[i]!.shape[0]!);
    split(joined, counts).forEach((part, at) => {
      const i = members[at]!;
      const [, rows, columns] = flat[i]!.shape as readonly [number, number, number];
      const back = rows > columns ? part.transpose() : part;
      results[i] = back.mul(Math.sqrt(Math.max(1, rows / columns))).reshape(stacks[i]!.shape);
    });
  }
  return results;
}

/** Singular values to about 1, of matrices [n, r, c] with r ≤ c. */
function newtonSchulz(stack: Tensor, iterations: number): Tensor {
  let x = stack.div(sqrt(stack.square().sum([1, 2], { keepDims: true })).add(1e-7));
  for (let i = 0; i < iterations; i++) {
    const gram = x.matmul(x.transpose()); // [n, r, r]
    const polynomial = gram.matmul(gram).mul(c).add(gram.mul(b));
    x = polynomial.matmul(x).add(x.mul(a));
  }
  return x;
}
