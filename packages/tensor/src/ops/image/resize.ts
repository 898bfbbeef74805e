import { checkName } from '@paris/files';
import { ShapeError } from '../../errors.js';
import { dtypes, floats, requireDType } from '../../graph/dtype.js';
import type { EmitContext, PointwiseOp } from '../../graph/op.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { relu } from '../activation/activations.js';
import { abs, floor } from '../arithmetic/functions.js';
import { arange } from '../creation/constant.js';
import { applyOp, pointwise, requireTensor, type WithOp, withOp } from '../define/op.js';
import { clamp } from '../where.js';

/** The nearest pixel, or between four with pixel centres at halves. */
export type ResizeMode = 'nearest' | 'bilinear';

type Resizing = { readonly size: readonly [height: number, width: number]; readonly mode: ResizeMode };

const op = pointwise<Resizing>({
  name: 'resize',
  cost: 8,
  infer([x], { size, mode }) {
    requireDType('resize', x!.dtype, mode === 'nearest' ? dtypes : floats);
    return [{ shape: [...x!.shape.slice(0, 2), ...size], dtype: x!.dtype }];
  },
  emit(context) {
    const { read, position, inputs, attributes, output, name } = context;
    const from = inputs[0]!.shape;
    const [b, c, ...at] = position.coordinates as [string, string, ...string[]];
    const between = at.map((x, i) => placeOf(context, x, from[2 + i]!, output.shape[2 + i]!));
    const element = (row: string, column: string) => read(0, position.moved(from, [b, c, row, column]));
    const [rows, columns] = between as [Place, Place];
    if (attributes.mode === 'nearest') return element(rows.low, columns.low);
    const mixed = (row: string) =>
      name(`mix(${element(row, columns.low)}, ${element(row, columns.high)}, ${columns.share})`);
    return `mix(${mixed(rows.low)}, ${mixed(rows.high)}, ${rows.share})`;
  },
  // Resizing is a product with a matrix on each side; its gradient one with their transposes.
  vjp({ inputs, cotangent, attributes: { size, mode } }) {
    const [height, width] = inputs[0]!.shape.slice(2) as [number, number];
    const [h, w] = size;
    const rows = h === height ? cotangent : shares(mode, height, h).matmul(cotangent);
    return [w === width ? rows : rows.matmul(shares(mode, width, w).transpose())];
  },
});

/** One read: cheap enough to do again in each window of a convolution, rather than store. */
const nearestOp: PointwiseOp = { ...op, cost: 2 };

interface Place {
  readonly low: string;
  readonly high: string;
  /** How much of the higher one. */
  readonly share: string;
}

/** Between which elements of an axis of size `from` place `x` of `to` lies: in whole numbers, so that it is exact. */
function placeOf({ name, attributes }: EmitContext<Resizing>, x: string, from: number, to: number): Place {
  if (from === to) return { low: x, high: x, share: '0.0f' };
  if (attributes.mode === 'nearest') return { low: name(`${x} * ${from}u / ${to}u`), high: x, share: '0.0f' };
  // (x + ½) · from / to − ½, at least 0, in units of 1 / (2 · to).
  const place = name(`max((2u * ${x} + 1u) * ${from}u, ${to}u) - ${to}u`);
  const low = name(`min(${place} / ${2 * to}u, ${from - 1}u)`);
  const high = name(`min(${low} + 1u, ${from - 1}u)`);
  return { low, high, share: name(`f32(${place} % ${2 * to}u) / ${2 * to}.0f`) };
}

/** [from, to]: how much of each element of an axis is in each place of the resized one. */
function shares(mode: ResizeMode, from: number, to: number): Tensor {
  const places = arange(to, 'f32').reshape([1, to]);
  const elements = arange(from, 'f32').reshape([from, 1]);
  if (mode === 'nearest') {
    // Half a place off the border: the quotient's rounding cannot cross it.
    return floor(places.mul(from).add(0.5).div(to)).equal(elements).cast('f32');
  }
  const ratio = from / to;
  const centers = clamp(places.add(0.5).mul(ratio).sub(0.5), 0, from - 1);
  return relu(abs(centers.sub(elements)).rsub(1));
}

/**
 * Pictures [B, C, H, W] in another size [h, w]: by the nearest element (of any dtype) or by the four around, as
 * torch.nn.functional.interpolate with align_corners = false, and no smoothing where it shrinks. It fuses into what
 * reads it; its gradient is two small matrix products. Bilinear, what lies next to an infinity is undefined: its share may be
 * 0, and adapters differ in whether they multiply by it.
 * @throws ShapeError for what are no pictures or no size; ValueError for another mode
 */
export const resize: WithOp<(x: Tensor, size: readonly [height: number, width: number], mode?: ResizeMode) => Tensor> =
  withOp(op, (x, size, mode = 'bilinear') => {
    checkName('resize', 'the mode', mode, ['nearest', 'bilinear']);
    if (requireTensor('resize', x).rank !== 4 || size.length !== 2 || size.some((n) => !Number.isInteger(n) || n < 1)) {
      const got = `${showShape(x.shape)} and ${showShape(size)}`;
      throw new ShapeError('resize', `x must be [B, C, H, W] and the size [h, w] from 1 up; got ${got}.`);
    }
    if (x.shape[2] === 0 || x.shape[3] === 0) {
      throw new ShapeError('resize', `pictures without pixels have no other size: x is ${showShape(x.shape)}.`);
    }
    return applyOp(mode === 'nearest' ? nearestOp : op, [x], { size: [...size], mode });
  });
