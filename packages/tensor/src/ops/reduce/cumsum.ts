import { isFloat, numeric } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { type AlongAxis, alongAxis } from '../along.js';
import { arange } from '../creation/arange.js';
import { where } from '../where.js';

const block = 64;

/**
 * Sums of the elements up to and with each along an axis, the last by default. f16 is summed in f32. Works in blocks
 * of 64, a dispatch or two for each power of 64 in the axis' size.
 */
export const cumsum: AlongAxis = alongAxis({
  name: 'cumsum',
  dtypes: numeric,
  decompose([x], { axis }) {
    const wide = isFloat(x!.dtype) ? x!.cast('f32') : x!;
    return [running(wide.transpose(axis, -1)).transpose(axis, -1)];
  },
  // An element is in all sums from its place on.
  vjp: ({ cotangent, attributes: { axis } }) => [cumsum(cotangent.flip(axis), axis).flip(axis)],
});

/** Sums within blocks, and before each block the sum of all blocks in front of it, found the same way. */
function running(x: Tensor): Tensor {
  const lead = x.shape.slice(0, -1);
  const n = x.shape.at(-1)!;
  if (n <= block) return within(x);
  const blocks = Math.ceil(n / block);
  const all = lead.map(() => null);
  const filled = x.pad([...lead.map(() => [0, 0] as const), [0, blocks * block - n]]);
  const sums = within(filled.reshape([...lead, blocks, block]));
  const totals = running(sums.slice([...all, null, [block - 1, block]]).reshape([...lead, blocks]));
  const before = totals.slice([...all, [0, blocks - 1]]).pad([...lead.map(() => [0, 0] as const), [1, 0]]);
  const whole = sums.add(before.reshape([...lead, blocks, 1])).reshape([...lead, blocks * block]);
  return whole.slice([...all, [0, n]]);
}

function within(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  const places = arange(n, 'u32');
  const upTo = places.reshape([1, n]).lessEqual(places.reshape([n, 1]));
  return where(upTo, x.reshape([...x.shape.slice(0, -1), 1, n]), 0).sum(-1);
}
