import { ValueError } from '../../errors.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/apply.js';
import { gather } from '../index/gather.js';
import { atRanks, ranksOf } from './ranks.js';

/** Elements in order, and where along the axis they were (u32). */
export interface Ordered {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** Options of {@link topK}. */
export interface TopKOptions {
  /** The k smallest elements, smallest first. Default false. */
  readonly smallest?: boolean;
}

/**
 * The k largest elements along an axis, the last by default, largest first; of equal ones the first. Gradients flow
 * through the values. n² comparisons per row of n ≤ 4096. Rows with NaN have no order.
 * @throws LimitError if the axis is longer; ValueError if it has no k elements.
 */
export function topK(x: Tensor, k: number, axis = -1, { smallest = false }: TopKOptions = {}): Ordered {
  const at = normalizeAxis('topK', axis, requireTensor('topK', x).rank);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[at]!) {
    const range = `from 0 to ${x.shape[at]}, the size of axis ${at}`;
    throw new ValueError('topK', `k must be a whole number ${range}; got ${k}.`);
  }
  return firstInOrder('topK', x, k, at, !smallest);
}

/** The first `count` elements along an axis in an order. */
export function firstInOrder(name: string, x: Tensor, count: number, axis: number, descending: boolean): Ordered {
  const indices = atRanks(ranksOf(name, x.transpose(axis, -1), descending), count).transpose(axis, -1);
  return { values: gather(x, indices, axis), indices };
}
