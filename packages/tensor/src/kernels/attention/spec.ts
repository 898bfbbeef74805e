import type { Extent } from '../../graph/kernel.js';
import type { TiledOperand } from '../../graph/op.js';

/** Lower than any score, and still finite: WGSL has no infinities. */
export const LOWEST = '-3.4e38f';

/** The three kernels: the forward, the gradient of q, and the gradients of k and v. */
export type AttentionKernel = 'forward' | 'backwardQuery' | 'backwardKey';

/** One operand of attention, [batch, rows, heads, headDim], strides in elements. */
export interface AttentionOperand {
  readonly element: TiledOperand['element'];
  readonly batchStride: Extent;
  readonly rowStride: Extent;
  readonly headStride: Extent;
  readonly columnStride: Extent;
  readonly offset: Extent;
}

/** Where an element of a result is, or, without a column, a number of a row of q: u32 expressions. */
export interface AttentionPlace {
  readonly batch: string;
  readonly head: string;
  readonly row: string;
  readonly column?: string;
}

/**
 * What a kernel is to compute, with everything that it reads and stores by name.
 * - `forward`: from q, k, v to out[b, n, h] = Σ_m softmax_m(scale · q[b, n, h] · k[b, m, h]) v[b, m, h], and to log_sum
 *   [b, h, n], the logarithm of each softmax's denominator. A query without any key gives zeros.
 * - `backwardQuery`: from q, k, v, out, cotangent and log_sum to dq, and to delta[b, h, n] = Σ_d cotangent · out.
 * - `backwardKey`: from q, k, v, cotangent, log_sum and delta to dk and dv.
 */
export interface AttentionSpec {
  readonly batch: Extent;
  readonly heads: Extent;
  /** N, rows of q. */
  readonly queries: Extent;
  /** M, rows of k and v. */
  readonly keys: Extent;
  readonly headDim: number;
  /** A WGSL expression of type f32. */
  readonly scale: string;
  /** Whether keys may be hidden. */
  readonly masked: boolean;
  operand(name: string): AttentionOperand;
  /** An expression of log_sum or delta at (batch, head, row), f32, or of whether a key is seen, mask (batch, key), bool. */
  number(name: string, ...at: string[]): string;
  /** Statements that store an element of a result or, without a column, a number of a row. */
  store(name: string, at: AttentionPlace, value: string): string;
}
