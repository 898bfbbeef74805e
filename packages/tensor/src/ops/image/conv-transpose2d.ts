import { ShapeError, ValueError } from '../../errors.js';
import { floats, promote, requireDType } from '../../graph/dtype.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/apply.js';
import type { Conv2dOptions } from './conv2d.js';
import { pairOf } from './pair.js';
import { fold } from './windows.js';

/** As {@link Conv2dOptions}, of the convolution whose gradient this is. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Rows and columns that the convolution's stride would have left over, smaller than it. Default 0. */
  readonly outputPadding?: number | readonly [number, number];
}

/**
 * Transposed convolution (as torch.nn.functional.conv_transpose2d), the gradient of {@link conv2d} by its input: x
 * [B, C, H, W] and weight [C, O/groups, kh, kw] → [B, O, H′, W′] with H′ = (H − 1) · stride − 2 · padding + dilation ·
 * (kh − 1) + outputPadding + 1. A product with the weight, whose windows are summed where they overlap.
 * https://arxiv.org/abs/1603.07285, chapter 4.
 * @throws ShapeError if the channels do not fit, or the padding leaves nothing; ValueError for invalid sizes
 */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  const op = 'convTranspose2d';
  const { bias, groups = 1 } = options;
  const stride = pairOf(op, 'stride', options.stride ?? 1, 1);
  const padding = pairOf(op, 'padding', options.padding ?? 0, 0);
  const dilation = pairOf(op, 'dilation', options.dilation ?? 1, 1);
  const left = pairOf(op, 'outputPadding', options.outputPadding ?? 0, 0);
  for (const tensor of [x, weight]) requireDType(op, requireTensor(op, tensor).dtype, floats);
  const [b, c, height, width] = x.shape as [number, number, number, number];
  const [inputs, each, ...kernel] = weight.shape as [number, number, number, number];
  if (
    x.rank !== 4 ||
    weight.rank !== 4 ||
    inputs !== c ||
    !Number.isInteger(groups) ||
    groups < 1 ||
    c % groups !== 0
  ) {
    const got = `got ${showShape(x.shape)} and ${showShape(weight.shape)} with ${groups} groups`;
    throw new ShapeError(op, `x must be [B, C, H, W] and the weight [C, O/groups, kh, kw]; ${got}.`);
  }
  const o = each * groups;
  if (bias && (bias.rank !== 1 || bias.size !== o)) {
    throw new ShapeError(op, `the bias is ${showShape(bias.shape)} and there are ${o} outputs. Give [${o}].`);
  }
  const tooFar = left.findIndex((n, i) => n > 0 && n >= stride[i]!);
  if (tooFar >= 0) throw new ValueError(op, `the outputPadding ${left} must be smaller than the stride ${stride}.`);
  const full = [height, width].map((n, i) => (n - 1) * stride[i]! + dilation[i]! * (kernel[i]! - 1) + 1 + left[i]!);
  const size = full.map((n, i) => n - 2 * padding[i]!);
  if (height < 1 || width < 1 || size.some((n) => n < 1)) {
    throw new ShapeError(op, `there is nothing left: x is ${showShape(x.shape)} and the padding ${padding}. Pad less.`);
  }
  // [G, O/G·kh·kw, C/G] × [B, G, C/G, H·W]
  const matrices = weight.reshape([groups, c / groups, each * kernel[0]! * kernel[1]!]).transpose();
  const spread = matrices.matmul(x.reshape([b, groups, c / groups, height * width]));
  const layout = { kernel: kernel as [number, number], stride, dilation };
  const whole = fold(spread.reshape([b, o, ...kernel, height, width]), full as [number, number], layout);
  const inside = (i: 0 | 1) => [padding[i], padding[i] + size[i]!] as const;
  const y = whole.slice([null, null, inside(0), inside(1)]).cast(promote(op, x.dtype, weight.dtype));
  return bias ? y.add(bias.reshape([o, 1, 1])) : y;
}
