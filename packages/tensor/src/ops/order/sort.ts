import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/apply.js';
import { firstInOrder, type Ordered } from './top-k.js';

/** Options of {@link sort}. */
export interface SortOptions {
  /** The last by default. */
  readonly axis?: number;
  /** Largest first. Default false. */
  readonly descending?: boolean;
}

/**
 * The elements along an axis in order; equal ones stay in theirs. Gradients flow through the values. n² comparisons a
 * row of n ≤ 4096. Rows with NaN have no order.
 * @throws LimitError if the axis is longer.
 */
export function sort(x: Tensor, { axis = -1, descending = false }: SortOptions = {}): Ordered {
  const at = normalizeAxis('sort', axis, requireTensor('sort', x).rank);
  return firstInOrder('sort', x, x.shape[at]!, at, descending);
}
