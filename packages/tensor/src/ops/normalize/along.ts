// Functions along one axis.
import { type DType, floats, isFloat, numeric } from '../../graph/dtype.js';
import { normalizeAxis } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { exp, log } from '../arithmetic/functions.js';
import { arange } from '../creation/constant.js';
import { applyOp, composite, requireTensor, sameType, type WithOp, withOp } from '../define/op.js';
import { shiftOf } from '../reduce/reductions.js';
import { where } from '../where.js';

/** A function along one axis, with its op. */
type AlongAxis = WithOp<(x: Tensor, axis?: number) => Tensor>;

type Definition = Pick<Parameters<typeof composite<{ readonly axis: number }>>[0], 'name' | 'decompose' | 'vjp'>;

/** A function along an axis, the last by default, that keeps shape and dtype and is written in other ops. */
function alongAxis({ dtypes, ...definition }: Definition & { readonly dtypes: readonly DType[] }): AlongAxis {
  const { name } = definition;
  const op = composite({ ...definition, infer: sameType(name, dtypes) });
  return withOp(op, (x, axis = -1) =>
    applyOp(op, [x], { axis: normalizeAxis(name, axis, requireTensor(name, x).rank) }),
  );
}

/**
 * e ^ x / Σ e ^ x along an axis, the last by default. Where x is −∞ it is 0. A row of −∞ only is NaN (0 / 0), as is +∞
 * (∞ / ∞).
 */
export const softmax: AlongAxis = alongAxis({
  name: 'softmax',
  dtypes: floats,
  decompose([x], { axis }) {
    const scores = x!.cast('f32');
    const weights = exp(scores.sub(shiftOf(scores, axis, { keepDims: true })));
    return [weights.div(weights.sum(axis, { keepDims: true }))];
  },
  // y · (g − Σ g·y)
  vjp({ outputs: [y], cotangent, attributes: { axis } }) {
    const inner = cotangent.mul(y!).sum(axis, { keepDims: true });
    return [cotangent.sub(inner).mul(y!)];
  },
});

/**
 * x − log Σ e ^ x along an axis, the last by default. The largest element is taken out first, so that no digits are lost
 * where all elements are large. Where x is −∞ it is −∞; a row of −∞ only is NaN (∞ − ∞), as is +∞.
 */
export const logSoftmax: AlongAxis = alongAxis({
  name: 'logSoftmax',
  dtypes: floats,
  decompose([x], { axis }) {
    const scores = x!.cast('f32');
    const shifted = scores.sub(shiftOf(scores, axis, { keepDims: true }));
    return [shifted.sub(log(exp(shifted).sum(axis, { keepDims: true })))];
  },
  // g − softmax(x) · Σ g
  vjp({ outputs: [y], cotangent, attributes: { axis } }) {
    return [cotangent.sub(exp(y!).mul(cotangent.sum(axis, { keepDims: true })))];
  },
});

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
