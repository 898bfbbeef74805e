// Sliding windows of pictures and the way back: what convolutions are made of.

import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { none } from '../define/gradient.js';
import { composite, pointwise } from '../define/kinds.js';

/** How windows lie on a picture, each for [rows, columns]. */
export interface Windows {
  readonly kernel: readonly [number, number];
  /** From a window to the next. */
  readonly stride: readonly [number, number];
  /** From an element of a window to the next. */
  readonly dilation: readonly [number, number];
}

/** How many windows fit on an axis. */
export function windowCount(size: number, kernel: number, stride: number, dilation: number): number {
  return Math.max(0, Math.floor((size - dilation * (kernel - 1) - 1) / stride) + 1);
}

const op = pointwise<Windows>({
  name: 'windows',
  cost: 0,
  infer([x], { kernel, stride, dilation }) {
    const counts = kernel.map((n, i) => windowCount(x!.shape[2 + i]!, n, stride[i]!, dilation[i]!));
    return [{ shape: [...x!.shape.slice(0, 2), ...kernel, ...counts], dtype: x!.dtype }];
  },
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
      // Beyond the first window the subtraction wraps to a huge number, which no count of windows reaches.
      const start = name(`${at[i]} - ${at[2 + i]} * ${dilation[i]}u`);
      if (stride[i]! > 1) conditions.push(`${start} % ${stride[i]}u == 0u`);
      const index = stride[i]! > 1 ? name(`${start} / ${stride[i]}u`) : start;
      conditions.push(`${index} < ${shape[4 + i]}u`);
      return name(`min(${index}, ${Math.max(0, shape[4 + i]! - 1)}u)`);
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

/**
 * Adds windows up where they overlap, [B, C, kh, kw, …] → [B, C, ...size]: the gradient of {@link windows}. Each place
 * gathers from the windows that see it, so nothing depends on an order.
 */
export const fold: WithOp<(g: Tensor, size: readonly [number, number], options: Windows) => Tensor> = withOp(
  foldOp,
  (g, size, { kernel, stride, dilation }) => applyOp(foldOp, [g], { kernel, stride, dilation, size: [...size] }),
);
