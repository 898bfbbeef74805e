import { ShapeError } from '../../errors.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { softmax } from '../normalize/softmax.js';
import { where } from '../where.js';

export interface AttentionOptions {
  /** bool [B, M]: false hides a key from all queries. */
  readonly mask?: Tensor | undefined;
  /** Multiplies the scores; 1/√d by default. */
  readonly scale?: number | undefined;
}

/**
 * Scaled dot-product attention, softmax(q·kᵀ · scale)·v: q [B, N, H, d], k and v [B, M, H, d] → [B, N, H, d].
 * https://arxiv.org/abs/1706.03762, equation 1.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, { mask, scale }: AttentionOptions = {}): Tensor {
  if (q.rank !== 4 || k.rank !== 4 || v.rank !== 4) {
    throw new ShapeError(
      'attention',
      `q, k, v need [batch, tokens, heads, width]: got ${[q, k, v].map((t) => showShape(t.shape)).join(', ')}.`,
    );
  }
  const factor = scale ?? 1 / Math.sqrt(q.shape[3]!);
  const heads = (x: Tensor) => x.permute([0, 2, 1, 3]);
  let scores = heads(q).matmul(heads(k).transpose()).mul(factor);
  if (mask) scores = where(mask.reshape([mask.shape[0]!, 1, 1, mask.shape[1]!]), scores, -1e30);
  return heads(softmax(scores).matmul(heads(v)));
}
