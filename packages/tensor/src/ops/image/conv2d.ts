import { ShapeError } from '../../errors.js';
import { floats, promote, requireDType } from '../../graph/dtype.js';
import type { Type } from '../../graph/node.js';
import { showShape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, requireTensor } from '../define/apply.js';
import { composite } from '../define/kinds.js';
import { barrier } from '../view/barrier.js';
import { pairOf } from './pair.js';
import { fold, type Windows, windowCount, windows } from './windows.js';

interface Convolution extends Windows {
  readonly padding: readonly [number, number];
  readonly groups: number;
}

const op = composite<Convolution>({
  name: 'conv2d',
  infer([x, weight], attributes) {
    const { b, o, rows, columns } = sizesOf(x!, weight!, attributes);
    return [{ shape: [b, o, rows, columns], dtype: promote('conv2d', x!.dtype, weight!.dtype) }];
  },
  // One matrix product: weights [G, O/G, K] by windows [B, G, K, P], with K = C/G·kh·kw and P places.
  decompose([x, weight], attributes) {
    const { b, o, groups, k, places, rows, columns } = sizesOf(x!, weight!, attributes);
    const seen = windowsOf(x!, attributes).reshape([b, groups, k, places]);
    const matrices = weight!.reshape([groups, o / groups, k]);
    return [matrices.matmul(seen).reshape([b, o, rows, columns])];
  },
  vjp({ inputs, cotangent, attributes }) {
    const [x, weight] = inputs as [Tensor, Tensor];
    const { b, c, o, groups, k, rows, columns, places, height, width } = sizesOf(x, weight, attributes);
    const { kernel, padding } = attributes;
    const g = cotangent.reshape([b, groups, o / groups, places]);
    const matrices = weight.reshape([groups, o / groups, k]);
    const spread = matrices.transpose().matmul(g); // [B, G, K, P]
    const size = [height + 2 * padding[0], width + 2 * padding[1]] as const;
    const whole = fold(spread.reshape([b, c, ...kernel, rows, columns]), size, attributes);
    const dx = whole.slice([null, null, [padding[0], padding[0] + height], [padding[1], padding[1] + width]]);
    // Cut out again, not kept since the forward pass: windows take kh·kw times the picture's memory.
    const seen = windowsOf(barrier(x, [cotangent]), attributes);
    // Picture by picture, then summed up: one product over all pictures would copy the windows into another order first.
    const dw = g.matmul(seen.reshape([b, groups, k, places]).transpose()).sum(0);
    return [dx, dw.reshape(weight.shape)];
  },
});

/** The windows of the padded picture, [B, C, kh, kw, rows, columns]. */
function windowsOf(x: Tensor, { padding: [h, w], ...layout }: Convolution): Tensor {
  const none = [0, 0] as const;
  return windows(x.pad([none, none, [h, h], [w, w]]), layout);
}

function sizesOf(x: Type, weight: Type, { kernel, stride, dilation, padding, groups }: Convolution) {
  const [b, c, height, width] = x.shape as [number, number, number, number];
  const o = weight.shape[0]!;
  const count = (size: number, i: 0 | 1) => windowCount(size + 2 * padding[i], kernel[i], stride[i], dilation[i]);
  const [rows, columns] = [count(height, 0), count(width, 1)];
  const k = (c / groups) * kernel[0] * kernel[1];
  return { b, c, height, width, o, groups, k, rows, columns, places: rows * columns };
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
  op,
  (x, weight, options = {}) => {
    const { bias, groups = 1 } = options;
    const stride = pairOf('conv2d', 'stride', options.stride ?? 1, 1);
    const padding = pairOf('conv2d', 'padding', options.padding ?? 0, 0);
    const dilation = pairOf('conv2d', 'dilation', options.dilation ?? 1, 1);
    for (const tensor of [x, weight]) requireDType('conv2d', requireTensor('conv2d', tensor).dtype, floats);
    const [c, o] = [x.shape[1]!, weight.shape[0]!];
    if (x.rank !== 4 || weight.rank !== 4 || weight.shape[1] !== c / groups || o % groups !== 0) {
      const got = `got ${showShape(x.shape)} and ${showShape(weight.shape)} with ${groups} groups`;
      throw new ShapeError('conv2d', `x must be [B, C, H, W] and the weight [O, C/groups, kh, kw]; ${got}.`);
    }
    if (bias && (bias.rank !== 1 || bias.size !== o)) {
      throw new ShapeError('conv2d', `the bias is ${showShape(bias.shape)} and there are ${o} outputs. Give [${o}].`);
    }
    const y = applyOp(op, [x, weight], { kernel: weight.shape.slice(2), stride, padding, dilation, groups });
    if (y.shape[2] === 0 || y.shape[3] === 0) {
      const got = `the kernel is ${showShape(weight.shape.slice(2))} and the picture ${showShape(x.shape.slice(2))}`;
      throw new ShapeError('conv2d', `no window fits: ${got}. Pad it.`);
    }
    return bias ? y.add(bias.reshape([o, 1, 1])) : y;
  },
);
