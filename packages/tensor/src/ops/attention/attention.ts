import { pullThrough } from '../../autodiff/gradient.js';
import type { TiledContext, TiledOperand } from '../../compile/tiled.js';
import { ShapeError } from '../../errors.js';
import { floatLiteral, floats, promote, requireDType } from '../../graph/dtype.js';
import { showType, type Type } from '../../graph/node.js';
import { sameShape, showShape, sizeOf } from '../../graph/shape.js';
import {
  type AttentionElement,
  type AttentionOperand,
  type AttentionProblem,
  type AttentionRow,
  attentionForward,
  chooseAttention,
} from '../../kernels/attention/index.js';
import { fixed } from '../../kernels/contract.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { applyAll, requireTensor, tiled, withOp } from '../define.js';
import type { TiledOp, WithOp } from '../op.js';
import { logSumExp } from '../reduce/logSumExp.js';
import { where } from '../where.js';
import { attentionGradients } from './gradients.js';

/** The attributes of the three ops. */
export type AttentionAttributes = { readonly scale: number; readonly masked: boolean };

// Inputs: q [B, N, H, d], k and v [B, M, H, d], and a mask [B, M] if there is one. Outputs: out like q, and the
// logarithms of the softmax's denominators [B, H, N], from which the backward kernels get the probabilities back.
const op = tiled<AttentionAttributes>({
  name: 'attention',
  infer: likeQuery,
  generate(context) {
    const problem = problemOf(context);
    const spec = {
      ...problem,
      store: storeRows(context, 0, problem),
      storeLogSumExp: storeStatistic(context, 1, problem),
    };
    return attentionForward(spec, chooseAttention('forward', problem.headDim, context.adapter));
  },
  flops: (inputs) => 2 * productFlops(inputs), // q·kᵀ, p·v
  reference,
  // A cotangent of the logarithms comes with second gradients only.
  vjp: (context) => (context.cotangents[1] ? pullThrough(reference, context) : attentionGradients(context)),
});

/** The types of something like q, and of a statistic of each of its rows, [B, H, N]. */
export function likeQuery([q]: readonly Type[]): Type[] {
  const [b, n, h] = q!.shape as [number, number, number];
  return [q!, { shape: [b, h, n], dtype: 'f32' }];
}

/** Of one product of all queries with all keys: q [B, N, H, d], k [B, M, H, d]. */
export function productFlops([q, k]: readonly Type[]): number {
  return 2 * sizeOf(q!.shape) * k!.shape[1]!;
}

/** The kernel's results in plain operations. */
function reference(inputs: readonly Tensor[], attributes: AttentionAttributes): readonly Tensor[] {
  const scores = scoresOf(inputs, attributes);
  const denominators = logSumExp(scores);
  const weights = exp(scores.sub(denominators.reshape([...denominators.shape, 1])));
  return [heads(weights.matmul(heads(inputs[2]!))), denominators];
}

/** Swaps tokens and heads: [B, N, H, d] ↔ [B, H, N, d]. */
export function heads(x: Tensor): Tensor {
  return x.permute([0, 2, 1, 3]);
}

/** The scores that softmax sees, [B, H, N, M], in plain operations, of q, k, v, [mask]. */
export function scoresOf([q, k, , mask]: readonly Tensor[], { scale, masked }: AttentionAttributes): Tensor {
  const products = heads(q!).matmul(heads(k!).transpose());
  const scores = products.mul(scale);
  return masked ? where(mask!.reshape([mask!.shape[0]!, 1, 1, mask!.shape[1]!]), scores, -1e30) : scores;
}

/** What the three kernels share. Sizes of the batch are uniforms. */
export function problemOf({ operand, inputs, uniform, attributes }: TiledContext): AttentionProblem {
  const [b, n, h, d] = inputs[0]!.shape as [number, number, number, number];
  const m = inputs[1]!.shape[1]!;
  const problem = {
    batch: uniform(b),
    heads: fixed(h),
    queries: fixed(n),
    keys: fixed(m),
    headDim: d,
    scale: floatLiteral(attributes.scale as number),
    q: rowsOperand(operand(0)),
    k: rowsOperand(operand(1)),
    v: rowsOperand(operand(2)),
  };
  if (!attributes.masked) return problem;
  const { access, window } = operand(3);
  const [batchStride, keyStride] = window.strides;
  return {
    ...problem,
    mask: ({ batch, key }) => access.element(`${window.offset}u + ${batch} * ${batchStride}u + ${key} * ${keyStride}u`),
  };
}

/** An operand [B, rows, H, d] as the kernels see it. */
export function rowsOperand({ access, window }: TiledOperand): AttentionOperand {
  const [batchStride, rowStride, headStride, columnStride] = window.strides.map(fixed);
  return {
    access,
    batchStride: batchStride!,
    rowStride: rowStride!,
    headStride: headStride!,
    columnStride: columnStride!,
    offset: fixed(window.offset),
  };
}

/** Stores elements of a result [B, rows, H, d]. */
export function storeRows(
  { outputs, store }: TiledContext,
  output: number,
  { heads: h, headDim }: AttentionProblem,
): (at: AttentionElement, value: string) => string {
  const rows = outputs[output]!.shape[1];
  return ({ batch, head, row, column }, value) =>
    store(output, `((${batch} * ${rows}u + ${row}) * ${h.wgsl} + ${head}) * ${headDim}u + ${column}`, value);
}

/** Stores statistics of rows of q, [B, H, N]. */
export function storeStatistic(
  { store }: TiledContext,
  output: number,
  problem: AttentionProblem,
): (at: AttentionRow, value: string) => string {
  return (at, value) => store(output, statisticIndex(at, problem), value);
}

/** Reads such statistics. */
export function readStatistic(
  { access, window }: TiledOperand,
  problem: AttentionProblem,
): (at: AttentionRow) => string {
  return (at) => access.element(`${window.offset}u + ${statisticIndex(at, problem)}`);
}

function statisticIndex({ batch, head, row }: AttentionRow, { heads: h, queries }: AttentionProblem): string {
  return `(${batch} * ${h.wgsl} + ${head}) * ${queries.wgsl} + ${row}`;
}

/** A scale other than 1/√d, and a mask. */
export interface AttentionOptions {
  /** bool [B, M]: false hides a key from all queries. A query that sees no key gets zeros. */
  readonly mask?: Tensor | undefined;
  /** Multiplies the scores; 1/√d by default. Compiled in. */
  readonly scale?: number | undefined;
}

/**
 * Scaled dot-product attention, softmax(q·kᵀ · scale)·v: q [B, N, H, d], k and v [B, M, H, d] → [B, N, H, d]. One
 * kernel forward and two backward, with no N × M matrix in memory.
 * https://arxiv.org/abs/1706.03762, equation 1; https://arxiv.org/abs/2205.14135.
 */
export const attention: WithOp<(q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions) => Tensor, TiledOp> =
  withOp(op, (q, k, v, { mask, scale } = {}) => {
    for (const tensor of [q, k, v]) requireDType('attention', requireTensor('attention', tensor).dtype, floats);
    const [b, , h, d] = q.shape;
    const keys = [b, k.shape[1], h, d] as number[];
    if (q.rank !== 4 || !sameShape(k.shape, keys) || !sameShape(v.shape, keys)) {
      const got = [q, k, v].map((x) => showShape(x.shape)).join(', ');
      throw new ShapeError(
        'attention',
        `q must be [B, N, H, d] and k, v [B, M, H, d]: got ${got}. Permute or reshape.`,
      );
    }
    const wanted = { shape: keys.slice(0, 2), dtype: 'bool' } as const;
    if (mask && showType(mask) !== showType(wanted)) {
      throw new ShapeError('attention', `the mask must be ${showType(wanted)}, got ${showType(mask)}.`);
    }
    const attributes = { scale: scale ?? 1 / Math.sqrt(d!), masked: mask !== undefined };
    const dtype = [k, v].reduce((common, x) => promote('attention', common, x.dtype), q.dtype);
    const wide = [q, k, v].map((x) => x.cast(dtype));
    return applyAll(op, mask ? [...wide, mask] : wide, attributes)[0]!;
  });
