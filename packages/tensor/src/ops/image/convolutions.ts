// Convolutions of pictures, and their transposes.
import { ShapeError, ValueError } from '../../errors.js';
import { floats, promote, requireDType } from '../../graph/dtype.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, composite, requireTensor, type WithOp, withOp } from '../define/op.js';
import { barrier } from '../view/identity.js';
import { fold, layoutOf, type PaddedWindows, paddedWindows, pairOf, windowCounts } from './windows.js';

interface Convolution extends PaddedWindows {
  readonly groups: number;
}

const conv2dOp = composite<Convolution>({
  name: 'conv2d',
  infer([x, weight], attributes) {
    const shape = [x!.shape[0]!, weight!.shape[0]!, ...windowCounts(x!.shape, attributes)];
    return [{ shape, dtype: promote('conv2d', x!.dtype, weight!.dtype) }];
  },
  decompose: product,
  // That of the product, picture by picture. Its windows are cut out again, not kept since the forward pass: they take kh·kw
  // times the picture's memory.
  vjp: ({ cotangent, attributes, pullThrough }) =>
    pullThrough(([x, weight]) => product([barrier(x!, [cotangent]), weight!], attributes)),
});

/** One matrix product: weights [G, O/G, K] by windows [B, G, K, P], with K = C/G·kh·kw and P places. */
function product([x, weight]: readonly Tensor[], attributes: Convolution): readonly Tensor[] {
  const { kernel, groups } = attributes;
  const [b, c] = x!.shape as [number, number];
  const o = weight!.shape[0]!;
  const [rows, columns] = windowCounts(x!.shape, attributes);
  const k = (c / groups) * kernel[0] * kernel[1];
  const seen = paddedWindows(x!, attributes).reshape([b, groups, k, rows * columns]);
  const matrices = weight!.reshape([groups, o / groups, k]);
  return [matrices.matmul(seen).reshape([b, o, rows, columns])];
}

/** How the kernel moves over the picture: [vertical, horizontal] or one number for both. */
export interface Conv2dOptions {
  /** [O], added last. */
  readonly bias?: Tensor | undefined;
  /** For rows and columns, or one for both. Default 1. */
  readonly stride?: number | readonly [number, number];
  /** Zeros on each side. Default 0. */
  readonly padding?: number | readonly [number, number];
  /** From an element of the kernel to the next. Default 1. */
  readonly dilation?: number | readonly [number, number];
  /** Groups of channels that do not see each other. Default 1. */
  readonly groups?: number;
}

/**
 * Two-dimensional convolution (cross-correlation, as torch.nn.functional.conv2d): x [B, C, H, W] and weight
 * [O, C/groups, kh, kw] → [B, O, H′, W′]. Two dispatches: the windows are laid out in memory, kh·kw times the size of
 * x at stride 1, and multiplied as one matrix (a kernel of 1 × 1 reads x where it is). The gradient lays them out
 * again rather than keep them.
 * @throws ShapeError if the channels do not fit, or the kernel is larger than the padded picture
 */
export const conv2d: WithOp<(x: Tensor, weight: Tensor, options?: Conv2dOptions) => Tensor> = withOp(
  conv2dOp,
  (x, weight, options = {}) => {
    const { bias, groups = 1 } = options;
    const layout = layoutOf('conv2d', options);
    for (const tensor of [x, weight]) requireDType('conv2d', requireTensor('conv2d', tensor).dtype, floats);
    const [c, o] = [x.shape[1]!, weight.shape[0]!];
    if (x.rank !== 4 || weight.rank !== 4 || weight.shape[1] !== c / groups || o % groups !== 0) {
      const got = `got ${showShape(x.shape)} and ${showShape(weight.shape)} with ${groups} groups`;
      throw new ShapeError('conv2d', `x must be [B, C, H, W] and the weight [O, C/groups, kh, kw]; ${got}.`);
    }
    if (bias && (bias.rank !== 1 || bias.size !== o)) {
      throw new ShapeError('conv2d', `the bias is ${showShape(bias.shape)} and there are ${o} outputs. Give [${o}].`);
    }
    const y = applyOp(conv2dOp, [x, weight], { kernel: weight.shape.slice(2), ...layout, groups });
    if (y.shape[2] === 0 || y.shape[3] === 0) {
      const got = `the kernel is ${showShape(weight.shape.slice(2))} and the picture ${showShape(x.shape.slice(2))}`;
      throw new ShapeError('conv2d', `no window fits: ${got}. Pad it.`);
    }
    return bias ? y.add(bias.reshape([o, 1, 1])) : y;
  },
);

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
  const { stride, padding, dilation } = layoutOf(op, options);
  const left = pairOf(op, 'outputPadding', options.outputPadding ?? 0, 0);
  for (const tensor of [x, weight]) requireDType(op, requireTensor(op, tensor).dtype, floats);
  const [b, c, height, width] = x.shape as [number, number, number, number];
  const [inputs, each, ...kernel] = weight.shape as [number, number, number, number];
  const divided = Number.isInteger(groups) && groups > 0 && c % groups === 0;
  if (x.rank !== 4 || weight.rank !== 4 || inputs !== c || !divided) {
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
