import { ShapeError, ValueError } from '../../errors.js';
import { floats, promote, requireDType } from '../../graph/dtype.js';
import { showType, type Type } from '../../graph/node.js';
import { sameShape, showShape, sizeOf } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { zeros } from '../creation/constant.js';
import { applyAll, onDeviceOf, requireTensor } from '../define/apply.js';
import { tiled } from '../define/kinds.js';
import { logSumExp } from '../reduce/log-sum-exp.js';
import { where } from '../where.js';
import { attentionGradients } from './gradients.js';
import { attentionKernel } from './kernel.js';

/** The attributes of the three ops. */
export type AttentionAttributes = { readonly scale: number };

// Inputs: q [B, N, H, d], k and v [B, M, H, d], and a mask [B, M] if there is one. Outputs: out like q, and the
// logarithms of the softmax's denominators [B, H, N], from which the backward kernels get the probabilities back.
const op = tiled<AttentionAttributes>({
  name: 'attention',
  infer: likeQuery,
  generate: (context) => attentionKernel('forward', context),
  flops: (inputs) => 2 * productFlops(inputs), // q·kᵀ, p·v
  reference,
  // A cotangent of the logarithms comes with second gradients only.
  vjp: (context) => (context.cotangents[1] ? context.pullThrough(reference) : attentionGradients(context)),
});

/** The types of something like q, and of a number for each of its rows, [B, H, N]. */
export function likeQuery([q]: readonly Type[]): Type[] {
  const [b, n, h] = q!.shape as [number, number, number];
  return [q!, { shape: [b, h, n], dtype: 'f32' }];
}

/** Of one product of all queries with all keys: q [B, N, H, d], k [B, M, H, d]. */
export function productFlops([q, k]: readonly Type[]): number {
  return 2 * sizeOf(q!.shape) * k!.shape[1]!;
}

/** The kernel's results in plain operations. */
function reference([q, k, v, mask]: readonly Tensor[], { scale }: AttentionAttributes): readonly Tensor[] {
  const scores = scoresOf(q!, k!, mask, scale);
  const denominators = logSumExp(scores);
  const weights = exp(scores.sub(denominators.reshape([...denominators.shape, 1])));
  return [heads(weights.matmul(heads(v!))), denominators];
}

/** Swaps tokens and heads: [B, N, H, d] ↔ [B, H, N, d]. */
export function heads(x: Tensor): Tensor {
  return x.permute([0, 2, 1, 3]);
}

/** The scores that softmax sees, [B, H, N, M], in plain operations. */
export function scoresOf(q: Tensor, k: Tensor, mask: Tensor | undefined, scale: number): Tensor {
  const scores = heads(q).matmul(heads(k).transpose()).mul(scale);
  return mask ? where(mask.reshape([mask.shape[0]!, 1, 1, mask.shape[1]!]), scores, -1e30) : scores;
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
 * @throws ShapeError if the shapes do not fit; ValueError for a scale that is not finite; DTypeError for anything but floats
 */
export const attention: WithOp<(q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions) => Tensor> = withOp(
  op,
  (q, k, v, { mask, scale } = {}) => {
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
    const attributes = { scale: scale ?? 1 / Math.sqrt(Math.max(1, d!)) };
    if (!Number.isFinite(Math.fround(attributes.scale))) {
      throw new ValueError('attention', `the scale is ${scale}. Give a finite number.`);
    }
    const dtype = [k, v].reduce((common, x) => promote('attention', common, x.dtype), q.dtype);
    const wide = [q, k, v].map((x) => x.cast(dtype));
    if (d === 0) return onDeviceOf('attention', zeros(q.shape, dtype), [q, k, v]);
    return applyAll(op, mask ? [...wide, mask] : wide, attributes)[0]!;
  },
);
