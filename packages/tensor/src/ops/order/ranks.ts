// Order by counting: an element's rank is how many come before it. n² comparisons per row, but one plain reduction, with
// nothing that depends on who comes first.
import { LimitError } from '../../errors.js';
import { numeric, requireDType } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { logicalAnd, logicalOr } from '../compare/logical.js';
import { arange } from '../creation/arange.js';
import { where } from '../where.js';

const most = 4096;

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
export function atRanks(ranks: Tensor, count: number): Tensor {
  const n = ranks.shape.at(-1)!;
  const here = ranks.reshape([...ranks.shape.slice(0, -1), 1, n]).equal(arange(count, 'u32').reshape([count, 1]));
  return where(here, arange(n, 'u32'), 0).sum(-1);
}
