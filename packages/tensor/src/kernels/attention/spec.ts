import type { Extent, OperandAccess } from '../contract.js';

/** Lower than any score, and still finite: WGSL has no infinities. */
export const LOWEST = '-3.4e38f';

/** One operand of attention, [batch, rows, heads, headDim], strides in elements. */
export interface AttentionOperand {
  readonly access: OperandAccess;
  readonly batchStride: Extent;
  readonly rowStride: Extent;
  readonly headStride: Extent;
  readonly columnStride: Extent;
  readonly offset: Extent;
}

/** Where an element or a row is: u32 expressions. */
export interface AttentionRow {
  readonly batch: string;
  readonly head: string;
  readonly row: string;
}
export type AttentionElement = AttentionRow & { readonly column: string };

/** What forward and backward share. */
export interface AttentionProblem {
  readonly batch: Extent;
  readonly heads: Extent;
  /** N, rows of q. */
  readonly queries: Extent;
  /** M, rows of k and v. */
  readonly keys: Extent;
  readonly headDim: number;
  /** A WGSL expression of type f32. */
  readonly scale: string;
  readonly q: AttentionOperand;
  readonly k: AttentionOperand;
  readonly v: AttentionOperand;
  /** A WGSL bool expression: whether the key takes part. Without it all do. */
  mask?(at: { batch: string; key: string }): string;
}

/**
 * out[b, n, h] = Σ_m softmax_m(scale · q[b, n, h] · k[b, m, h]) v[b, m, h], and the logarithm of each softmax's
 * denominator, from which the backward kernels get the probabilities back. A query without any key gives zeros.
 */
export interface AttentionForwardSpec extends AttentionProblem {
  store(at: AttentionElement, value: string): string;
  storeLogSumExp(at: AttentionRow, value: string): string;
}

/** Gradient of q; also stores delta[b, h, n] = Σ_d cotangent · out, which {@link AttentionKeySpec} reads. */
export interface AttentionQuerySpec extends AttentionProblem {
  readonly out: AttentionOperand;
  readonly cotangent: AttentionOperand;
  /** The f32 expression of what `storeLogSumExp` stored. */
  logSumExp(at: AttentionRow): string;
  store(at: AttentionElement, value: string): string;
  storeDelta(at: AttentionRow, value: string): string;
}

/** Gradients of k and v. Its kernel runs after the one of {@link AttentionQuerySpec}, whose delta it reads. */
export interface AttentionKeySpec extends AttentionProblem {
  readonly cotangent: AttentionOperand;
  logSumExp(at: AttentionRow): string;
  delta(at: AttentionRow): string;
  storeKey(at: AttentionElement, value: string): string;
  storeValue(at: AttentionElement, value: string): string;
}
