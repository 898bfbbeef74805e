// Pooling: the windows of a picture, each reduced to one number.
import { ShapeError } from '../../errors.js';
import { floats, requireDType } from '../../graph/dtype.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { ones } from '../creation/constant.js';
import { requireTensor } from '../define/apply.js';
import { type Pair, pairOf } from './pair.js';
import { windowCount, windows } from './windows.js';

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
  const stride = pairOf(op, 'stride', options.stride ?? kernel, 1);
  const padding = pairOf(op, 'padding', options.padding ?? 0, 0);
  const dilation = pairOf(op, 'dilation', options.dilation ?? 1, 1);
  if (padding.some((n, i) => 2 * n > kernel[i]!)) {
    throw new ShapeError(op, `the padding ${padding} is more than half of the window ${kernel}. Pad x itself.`);
  }
  const fits = (i: 0 | 1) => windowCount(x.shape[2 + i]! + 2 * padding[i], kernel[i], stride[i], dilation[i]) > 0;
  if (!fits(0) || !fits(1)) {
    throw new ShapeError(op, `no window fits: it is ${showShape(kernel)} and x ${showShape(x.shape)}. Pad it.`);
  }
  const [h, w] = padding;
  return windows(
    x.pad(
      [
        [0, 0],
        [0, 0],
        [h, h],
        [w, w],
      ],
      outside,
    ),
    { kernel, stride, dilation },
  );
}
