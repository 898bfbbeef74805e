// What a picture is to show, and what everything that handles conditions does with one: they are trees of rows, a row for
// each picture. Nothing outside this file asks which kind of condition it has, except networks that read it.
import { concat, embedding, type Tensor, ValueError } from '@paris/tensor';

/** What a picture is to show, as experts take it. The kinds are those that an expert's config names. */
export type Condition =
  /** Word ids that the expert embeds itself: u32 [B, L]; 0 is padding, all zeros is "anything". mask: bool [B, L]. */
  | { readonly kind: 'tokens'; readonly ids: Tensor; readonly mask?: Tensor }
  /** A text encoder's output: [B, L, D], with bool mask [B, L]. */
  | { readonly kind: 'embeddings'; readonly tokens: Tensor; readonly mask?: Tensor }
  /** A class: u32 [B]; the number of classes means "anything". */
  | { readonly kind: 'label'; readonly label: Tensor };

/** Word ids for an expert that embeds them itself: u32 [B, L], with a bool mask [B, L] or none. */
export function tokenCondition(ids: Tensor, mask?: Tensor): Condition {
  return { kind: 'tokens', ids, ...(mask ? { mask } : {}) };
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
export function concatConditions(a: Condition, b: Condition): Condition {
  if (a.kind === 'tokens' && b.kind === 'tokens') {
    return { kind: 'tokens', ids: concat([a.ids, b.ids], 0), ...concatMasks(a.mask, b.mask) };
  }
  if (a.kind === 'embeddings' && b.kind === 'embeddings') {
    return { kind: 'embeddings', tokens: concat([a.tokens, b.tokens], 0), ...concatMasks(a.mask, b.mask) };
  }
  if (a.kind === 'label' && b.kind === 'label') return { kind: 'label', label: concat([a.label, b.label], 0) };
  throw new ValueError(
    'condition',
    `the condition is of kind '${a.kind}', the unconditional '${b.kind}'. Encode both alike.`,
  );
}

function concatMasks(a: Tensor | undefined, b: Tensor | undefined): { mask?: Tensor } {
  if (a && b) return { mask: concat([a, b], 0) };
  if (!a && !b) return {};
  throw new ValueError('condition', 'only one of condition and unconditional has a mask. Encode both alike.');
}

/** The tensors of a condition by name, as devices run and compiled functions return them. */
export function conditionTensors({ kind: _, ...tensors }: Condition): { readonly [name: string]: Tensor } {
  return tensors;
}

/** The condition that has these tensors, see {@link conditionTensors}. */
export function conditionOfTensors({ ids, tokens, label, mask }: { readonly [name: string]: Tensor }): Condition {
  if (ids) return tokenCondition(ids, mask);
  if (tokens) return { kind: 'embeddings', tokens, ...(mask ? { mask } : {}) };
  if (label) return { kind: 'label', label };
  throw new ValueError('condition', 'there are neither ids nor tokens nor a label.');
}

/** Gives the memory of every tensor back. */
export function disposeCondition(condition: Condition): void {
  for (const tensor of Object.values(conditionTensors(condition))) tensor.dispose();
}
