/** Classifier-free guidance, and conditions as trees of rows. All of it is traced. */

import type { Condition } from '@paris/model';
import { concat, embedding, type Tensor, ValueError } from '@paris/tensor';

/** A network that is asked for its prediction: `expert.apply` with its parameters. */
export type Predict = (latents: Tensor, time: Tensor, condition?: Condition) => Tensor;

/**
 * unconditional + guidance · (conditional − unconditional), arXiv 2207.12598 eq. 6 with guidance = 1 + w. Both come
 * from one call on a batch of twice the size. For guidance 1 ask `predict` itself: it is the conditional alone.
 * @param latents - [B, C, H, W]
 * @param time - [B]
 * @param guidance - a tensor of one element: an input, so another guidance is the same plan
 */
export function classifierFreeGuidance(
  predict: Predict,
  latents: Tensor,
  time: Tensor,
  conditions: { readonly condition: Condition; readonly unconditional: Condition },
  guidance: Tensor,
): Tensor {
  const batch = latents.shape[0]!;
  const both = predict(
    concat([latents, latents], 0),
    concat([time, time], 0),
    concatConditions(conditions.condition, conditions.unconditional),
  );
  const rest = latents.shape.slice(1).map(() => null);
  const conditional = both.slice([[0, batch], ...rest]);
  const unconditional = both.slice([[batch, 2 * batch], ...rest]);
  return unconditional.add(conditional.sub(unconditional).mul(guidance));
}

/** Rows of a tensor of any dtype whose integers are below 2²⁴: [N, …], u32 [M] → [M, …]. */
export function gatherRows(rows: Tensor, indices: Tensor): Tensor {
  const [count, ...rest] = rows.shape;
  const table = rows.reshape([count!, -1]);
  const gathered =
    rows.dtype === 'f32' ? embedding(table, indices) : embedding(table.cast('f32'), indices).cast(rows.dtype);
  return gathered.reshape([indices.shape[0]!, ...rest]);
}

/** The same rows of every tensor of a condition. */
export function gatherCondition(condition: Condition, indices: Tensor): Condition {
  const gather = (rows: Tensor) => gatherRows(rows, indices);
  const mask = 'mask' in condition && condition.mask ? { mask: gather(condition.mask) } : {};
  switch (condition.kind) {
    case 'tokens':
      return { kind: 'tokens', ids: gather(condition.ids), ...mask };
    case 'embeddings':
      return { kind: 'embeddings', tokens: gather(condition.tokens), ...mask };
    case 'label':
      return { kind: 'label', label: gather(condition.label) };
  }
}

/** The rows of `a`, then those of `b`. @throws ValueError if they are of two kinds, or one alone has a mask */
function concatConditions(a: Condition, b: Condition): Condition {
  if (a.kind === 'tokens' && b.kind === 'tokens') {
    return { kind: 'tokens', ids: concat([a.ids, b.ids], 0), ...concatMasks(a.mask, b.mask) };
  }
  if (a.kind === 'embeddings' && b.kind === 'embeddings') {
    return { kind: 'embeddings', tokens: concat([a.tokens, b.tokens], 0), ...concatMasks(a.mask, b.mask) };
  }
  if (a.kind === 'label' && b.kind === 'label') return { kind: 'label', label: concat([a.label, b.label], 0) };
  throw new ValueError(
    'guidance',
    `the condition is of kind '${a.kind}', the unconditional '${b.kind}'. Encode both alike.`,
  );
}

function concatMasks(a: Tensor | undefined, b: Tensor | undefined): { mask?: Tensor } {
  if (a && b) return { mask: concat([a, b], 0) };
  if (!a && !b) return {};
  throw new ValueError('guidance', 'only one of condition and unconditional has a mask. Encode both alike.');
}
