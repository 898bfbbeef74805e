// Order by counting: an element's rank is how many come before it. n² comparisons per row, but one plain reduction, with
// nothing that depends on who comes first.
import { LimitError, ValueError } from '../../errors.js';
import { numeric, requireDType } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { logicalAnd, logicalOr } from '../compare/comparisons.js';
import { arange } from '../creation/constant.js';
import { requireTensor } from '../define/op.js';
import { gather } from '../index/indices.js';
import { where } from '../where.js';

/** The longest axis. */
const most = 4096;

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
function firstInOrder(name: string, x: Tensor, count: number, axis: number, descending: boolean): Ordered {
  const indices = atRanks(ranksOf(name, x.transpose(axis, -1), descending), count).transpose(axis, -1);
  return { values: gather(x, indices, axis), indices };
}

/** The place that each element of the last axis has in order, u32. Of equal ones the first comes first. */
export function ranksOf(name: string, x: Tensor, descending: boolean): Tensor {
  requireDType(name, x.dtype, numeric);
  const lead = x.shape.slice(0, -1);
  const n = x.shape.at(-1)!;
  if (n > most) {
    const much = `${n} elements are more than the ${most} it compares pair by pair`;
    throw new LimitError(name, `${much}. Order them on the host.`);
  }
  const own = x.reshape([...lead, n, 1]);
  const other = x.reshape([...lead, 1, n]);
  const places = arange(n, 'u32');
  const earlier = places.reshape([1, n]).less(places.reshape([n, 1]));
  const before = descending ? other.greater(own) : other.less(own);
  const first = logicalOr(before, logicalAnd(other.equal(own), earlier));
  return first.cast('u32').sum(-1);
}

/** Which element of the last axis is at each of the first `count` places, u32. */
function atRanks(ranks: Tensor, count: number): Tensor {
  const n = ranks.shape.at(-1)!;
  const here = ranks.reshape([...ranks.shape.slice(0, -1), 1, n]).equal(arange(count, 'u32').reshape([count, 1]));
  return where(here, arange(n, 'u32'), 0).sum(-1);
}
