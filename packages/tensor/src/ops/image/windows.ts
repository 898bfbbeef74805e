// Sliding windows of pictures and the way back, which convolutions are made of; and pooling, which reduces each window to one
// number.
import { ShapeError, ValueError } from '../../errors.js';
import { floats, requireDType } from '../../graph/dtype.js';
import { type Shape, showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { ones } from '../creation/constant.js';
import { applyOp, composite, none, pointwise, requireTensor, type WithOp, withOp } from '../define/op.js';
import { nearest } from '../view/parts.js';

/** How windows lie on a picture, each for [rows, columns]. */
export interface Windows {
  readonly kernel: readonly [number, number];
  /** From a window to the next. */
  readonly stride: readonly [number, number];
  /** From an element of a window to the next. */
  readonly dilation: readonly [number, number];
}

/** The same on a picture with `padding` on each side. */
export interface PaddedWindows extends Windows {
  readonly padding: readonly [number, number];
}

/** How many windows fit on pictures [B, C, H, W]: rows and columns of them. */
export function windowCounts(
  [, , ...size]: Shape,
  { kernel, stride, dilation, padding = [0, 0] }: Windows & Partial<PaddedWindows>,
): [rows: number, columns: number] {
  const along = (i: 0 | 1) => {
    const room = size[i]! + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1;
    return Math.max(0, Math.floor(room / stride[i]) + 1);
  };
  return [along(0), along(1)];
}

const op = pointwise<Windows>({
  name: 'windows',
  cost: 0,
  infer: ([x], layout) => [
    { shape: [...x!.shape.slice(0, 2), ...layout.kernel, ...windowCounts(x!.shape, layout)], dtype: x!.dtype },
  ],
  emit({ read, position, inputs, attributes: { stride, dilation }, name }) {
    const [b, c, ...at] = position.coordinates as [string, string, ...string[]];
    const along = [0, 1].map((i) => name(`${at[2 + i]} * ${stride[i]}u + ${at[i]} * ${dilation[i]}u`));
    return read(0, position.moved(inputs[0]!.shape, [b, c, ...along]));
  },
  strided(window, { attributes: { stride, dilation }, output }) {
    const [b, c, ...along] = window.strides as [number, number, ...number[]];
    const within = along.map((step, i) => step * dilation[i]!);
    const between = along.map((step, i) => step * stride[i]!);
    return { shape: output.shape, strides: [b, c, ...within, ...between], offset: window.offset };
  },
  vjp: ({ inputs, cotangent, attributes }) => [
    fold(cotangent, inputs[0]!.shape.slice(2) as [number, number], attributes),
  ],
});

interface Fold extends Windows {
  readonly size: readonly [number, number];
}

// [B, C, kh, kw, oh, ow] → [B, C, H, W, kh, kw]: for each place what the windows hold that see it at (i, j), or zero.
const seenOp = pointwise<Fold>({
  name: 'seen',
  cost: 4,
  infer: ([g], { size }) => [{ shape: [...g!.shape.slice(0, 2), ...size, ...g!.shape.slice(2, 4)], dtype: g!.dtype }],
  emit({ read, position, inputs, attributes: { stride, dilation }, name }) {
    const { shape } = inputs[0]!;
    const [b, c, ...at] = position.coordinates as [string, string, ...string[]];
    const conditions: string[] = [];
    const windows = [0, 1].map((i) => {
      const start = name(`${at[i]} - ${at[2 + i]} * ${dilation[i]}u`);
      return nearest(name, start, stride[i]!, shape[4 + i]!, conditions);
    });
    const value = read(0, position.moved(shape, [b, c, at[2]!, at[3]!, ...windows]));
    return `select(0.0f, ${value}, ${conditions.join(' && ')})`;
  },
  vjp: none('it is a part of fold, which has one'),
});

const foldOp = composite<Fold>({
  name: 'fold',
  infer: ([g], { size }) => [{ shape: [...g!.shape.slice(0, 2), ...size], dtype: g!.dtype }],
  decompose: ([g], attributes) => [applyOp(seenOp, [g!], { ...attributes }).sum([4, 5])],
  vjp: ({ cotangent, attributes }) => [windows(cotangent, attributes)],
});

/** Every window of pictures: x [B, C, H, W] → [B, C, kh, kw, rows of windows, columns of windows]. A view. */
export const windows: WithOp<(x: Tensor, options: Windows) => Tensor> = withOp(op, (x, { kernel, stride, dilation }) =>
  applyOp(op, [x], { kernel, stride, dilation }),
);

/** {@link windows} of pictures with a border of one value. */
export function paddedWindows(x: Tensor, layout: PaddedWindows, outside = 0): Tensor {
  const none = [0, 0] as const;
  const [h, w] = layout.padding;
  return windows(x.pad([none, none, [h, h], [w, w]], outside), layout);
}

/**
 * Adds windows up where they overlap, [B, C, kh, kw, …] → [B, C, ...size]: the gradient of {@link windows}. Each place
 * gathers from the windows that see it, so nothing depends on an order.
 */
export const fold: WithOp<(g: Tensor, size: readonly [number, number], options: Windows) => Tensor> = withOp(
  foldOp,
  (g, size, { kernel, stride, dilation }) => applyOp(foldOp, [g], { kernel, stride, dilation, size: [...size] }),
);

/** For rows and columns, or one number for both. */
export type Pair = number | readonly [number, number];

/** @throws ValueError for anything but one or two whole numbers from `least` up */
export function pairOf(op: string, name: string, value: Pair, least: number): [number, number] {
  const both = typeof value === 'number' ? [value, value] : [...value];
  if (both.length !== 2 || both.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ValueError(op, `the ${name} must be one or two whole numbers from ${least} up, got ${value}.`);
  }
  return both as [number, number];
}

/** How windows move over a picture, from what options say for both axes or for each. */
export function layoutOf(
  op: string,
  { stride, padding = 0, dilation = 1 }: { readonly [name in 'stride' | 'padding' | 'dilation']?: Pair },
  ownStride: Pair = 1,
): Record<'stride' | 'padding' | 'dilation', [number, number]> {
  return {
    stride: pairOf(op, 'stride', stride ?? ownStride, 1),
    padding: pairOf(op, 'padding', padding, 0),
    dilation: pairOf(op, 'dilation', dilation, 1),
  };
}

/** How windows lie on a picture. */
export interface Pool2dOptions {
  /** From a window to the next. Default: the window's own size. */
  readonly stride?: Pair;
  /** On each side, at most half of the window. Default 0. */
  readonly padding?: Pair;
  /** From an element of a window to the next. Default 1. */
  readonly dilation?: Pair;
}

/** Options of {@link avgPool2d}. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether the zeros of the padding count. Default true, as in PyTorch. */
  readonly countPadding?: boolean;
}

/**
 * The largest element of each window: x [B, C, H, W] → [B, C, H′, W′], as torch.nn.functional.max_pool2d. Padding is never
 * the largest. Equal elements of a window share the gradient, where PyTorch gives it to the first.
 * @throws ShapeError if x is no such picture or no window fits; ValueError for invalid sizes
 */
export function maxPool2d(x: Tensor, kernel: Pair, options: Pool2dOptions = {}): Tensor {
  return windowsOf('maxPool2d', x, kernel, options, Number.NEGATIVE_INFINITY).max([2, 3]);
}

/**
 * The mean of each window: x [B, C, H, W] → [B, C, H′, W′], as torch.nn.functional.avg_pool2d.
 * @throws ShapeError if x is no such picture or no window fits; ValueError for invalid sizes
 */
export function avgPool2d(x: Tensor, kernel: Pair, { countPadding = true, ...options }: AvgPool2dOptions = {}): Tensor {
  const seen = windowsOf('avgPool2d', x, kernel, options, 0);
  if (countPadding) return seen.mean([2, 3]);
  const inside = windowsOf('avgPool2d', ones([1, 1, ...x.shape.slice(2)]), kernel, options, 0);
  return seen.sum([2, 3]).div(inside.sum([2, 3]));
}

/** [B, C, kh, kw, H′, W′] */
function windowsOf(op: string, x: Tensor, size: Pair, options: Pool2dOptions, outside: number): Tensor {
  requireDType(op, requireTensor(op, x).dtype, floats);
  if (x.rank !== 4) throw new ShapeError(op, `x must be [B, C, H, W], got ${showShape(x.shape)}. Reshape it.`);
  const kernel = pairOf(op, 'kernel', size, 1);
  const layout = { kernel, ...layoutOf(op, options, kernel) };
  const { padding } = layout;
  if (padding.some((n, i) => 2 * n > kernel[i]!)) {
    throw new ShapeError(op, `the padding ${padding} is more than half of the window ${kernel}. Pad x itself.`);
  }
  if (windowCounts(x.shape, layout).includes(0)) {
    throw new ShapeError(op, `no window fits: it is ${showShape(kernel)} and x ${showShape(x.shape)}. Pad it.`);
  }
  return paddedWindows(x, layout, outside);
}
