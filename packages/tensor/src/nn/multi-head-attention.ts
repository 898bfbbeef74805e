// Multi-head attention with the packing and the key names of torch.nn.MultiheadAttention.

import { ShapeError } from '../errors.js';
import { attention } from '../ops/attention/attention.js';
import { split } from '../ops/view/parts.js';
import type { Tensor } from '../tensor.js';
import { type Initialiser, xavierUniform, zeros } from './initialisers.js';
import { type LinearParams, linear, linearParameters } from './linear.js';
import type { ParameterTable } from './parameters.js';

/** As torch packs them: in_proj_weight [3d, d] holds rows for q, k and v. */
export interface MultiHeadAttentionParams {
  /** [3d, d], the rows of the query, then of the key, then of the value. */
  readonly in_proj_weight: Tensor;
  /** [3d] */
  readonly in_proj_bias: Tensor;
  readonly out_proj: LinearParams;
}

/** Heads, and what keys and values are made of. */
export interface MultiHeadAttentionOptions {
  readonly heads: number;
  /** Where keys and values come from, [B, M, d]; x itself if absent (self-attention). */
  readonly context?: Tensor;
  /** bool [B, M]: which keys may be seen. Every row needs one. */
  readonly mask?: Tensor;
}

/**
 * Attention of x to itself or to a context. https://arxiv.org/abs/1706.03762, §3.2.2
 * @param x - [B, N, d]
 * @returns [B, N, d]
 * @throws ShapeError if d is not a multiple of heads
 */
export function multiHeadAttention(
  params: MultiHeadAttentionParams,
  x: Tensor,
  { heads, context, mask }: MultiHeadAttentionOptions,
): Tensor {
  const d = x.shape[2]!;
  if (x.rank !== 3 || d % heads !== 0) {
    const must = `[B, N, d] with d a multiple of ${heads} heads`;
    throw new ShapeError('multiHeadAttention', `x must be ${must}, got [${x.shape}].`);
  }
  const inHeads = (t: Tensor) => t.reshape([t.shape[0]!, t.shape[1]!, heads, d / heads]); // [B, N, H, d/H]
  const [q, k, v] = context ? projectApart(params, x, context) : projectTogether(params, x);
  const mixed = attention(inHeads(q), inHeads(k), inHeads(v), mask ? { mask } : {}); // [B, N, H, d/H]
  return linear(params.out_proj, mixed.reshape(x.shape));
}

/** Self-attention: one product for query, key and value. */
function projectTogether(params: MultiHeadAttentionParams, x: Tensor): readonly [Tensor, Tensor, Tensor] {
  const [q, k, v] = split(linear({ weight: params.in_proj_weight, bias: params.in_proj_bias }, x), 3, -1);
  return [q!, k!, v!];
}

/** Cross-attention: the query from x, key and value from the context in one product. */
function projectApart(
  { in_proj_weight, in_proj_bias }: MultiHeadAttentionParams,
  x: Tensor,
  context: Tensor,
): readonly [Tensor, Tensor, Tensor] {
  const d = x.shape[2]!;
  const rows = (start: number, end: number): LinearParams => ({
    weight: in_proj_weight.slice([[start, end], null]),
    bias: in_proj_bias.slice([[start, end]]),
  });
  const [k, v] = split(linear(rows(d, 3 * d), context), 2, -1);
  return [linear(rows(0, d), x), k!, v!];
}

/** The parameters of multi-head attention under `name`. `out` initialises the output projection's weight. */
export function multiHeadAttentionParameters(
  name: string,
  d: number,
  out: Initialiser = xavierUniform,
): ParameterTable {
  return {
    [`${name}.in_proj_weight`]: { shape: [3 * d, d], initialise: xavierUniform },
    [`${name}.in_proj_bias`]: { shape: [3 * d], initialise: zeros },
    ...linearParameters(`${name}.out_proj`, d, d, out),
  };
}
