// The norms: statistics over the last axis, and the gradient through them.
import { ShapeError, ValueError } from '../../errors.js';
import { floats } from '../../graph/dtype.js';
import { showShape, sizeOf } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { rsqrt } from '../arithmetic/functions.js';
import { literal } from '../creation/constant.js';
import { applyOp, composite, requireTensor, sameType, type WithOp, withOp } from '../define/op.js';

/** Scale, shift and what is added to the variance. */
export interface NormOptions {
  /** [D], multiplied after normalising. */
  readonly weight?: Tensor | undefined;
  /** [D], added last. */
  readonly bias?: Tensor | undefined;
  /** Added to the variance. Default 1e-5, as in PyTorch. */
  readonly eps?: number | undefined;
}

/**
 * (x − mean) / √(variance + eps) over the last axis, with optional weight and bias. The variance is the mean of
 * squares. https://arxiv.org/abs/1607.06450
 */
export const layerNorm: WithOp<(x: Tensor, options?: NormOptions) => Tensor> = standardization('layerNorm', true);

/** x / √(mean(x²) + eps) over the last axis, with an optional weight. https://arxiv.org/abs/1910.07467, equation 4. */
export const rmsNorm: WithOp<(x: Tensor, options?: Omit<NormOptions, 'bias'>) => Tensor> = standardization(
  'rmsNorm',
  false,
);

/**
 * Normalises each of `groups` groups of neighbouring channels with all their places: x [B, C, …], weight and bias [C].
 * https://arxiv.org/abs/1803.08494, equation 1.
 * @throws ShapeError if C is not a multiple of `groups`
 */
export function groupNorm(x: Tensor, groups: number, options: NormOptions = {}): Tensor {
  const [b, c] = requireTensor('groupNorm', x).shape as readonly [number, number];
  if (x.rank < 2 || c % groups !== 0) {
    throw new ShapeError('groupNorm', `x must be [B, C, …] with C a multiple of ${groups}, got ${showShape(x.shape)}.`);
  }
  const rows = layerNorm(x.reshape([b, groups, sizeOf(x.shape.slice(1)) / groups]), { eps: options.eps });
  return affine('groupNorm', rows.reshape(x.shape), 1, options);
}

/**
 * The norm x / √(mean(x²) + eps) over the last axis, of x less its mean where `center` says so, then scaled and shifted.
 */
function standardization(name: string, center: boolean): WithOp<(x: Tensor, options?: NormOptions) => Tensor> {
  // Statistics in f32, whatever the storage.
  const parts = (input: Tensor, { eps }: { readonly eps: number }) => {
    const x = input.cast('f32');
    const mean = (of: Tensor) => of.mean(-1, { keepDims: true });
    if (!center) {
      const scale = rsqrt(mean(x.square()).add(literal(eps)));
      return { normalized: x.mul(scale), scale };
    }
    // A mean of large numbers is rounded: what it is off by shows in the mean of the differences, and is taken out of both
    // statistics. Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983, equation 1.7.
    const near = x.sub(mean(x));
    const off = mean(near);
    const variance = mean(near.square()).sub(off.square()).maximum(literal(0));
    const scale = rsqrt(variance.add(literal(eps)));
    return { normalized: near.sub(off).mul(scale), scale };
  };
  const op = composite<{ readonly eps: number }>({
    name,
    infer: sameType(name, floats),
    decompose: ([x], attributes) => [parts(x!, attributes).normalized],
    // dx = (g − mean(g) − x̂ · mean(g·x̂)) / σ; without centering, without the mean.
    vjp({ inputs, cotangent, attributes }) {
      const { normalized, scale } = parts(inputs[0]!, attributes);
      const along = cotangent.mul(normalized).mean(-1, { keepDims: true });
      const level = center ? cotangent.sub(cotangent.mean(-1, { keepDims: true })) : cotangent;
      return [level.sub(normalized.mul(along)).mul(scale)];
    },
  });
  return withOp(op, (x, options = {}) => {
    const { eps = 1e-5 } = options;
    if (!(eps >= 0 && eps < Number.POSITIVE_INFINITY))
      throw new ValueError(name, `eps is ${eps}. Give a number from 0 on.`);
    return affine(name, applyOp(op, [x], { eps }), -1, options);
  });
}

/** y · weight + bias, both along an axis of y. */
function affine(name: string, y: Tensor, axis: number, { weight, bias }: NormOptions): Tensor {
  const size = y.shape.at(axis)!;
  const along = (what: string, tensor: Tensor) => {
    if (tensor.rank !== 1 || tensor.size !== size) {
      throw new ShapeError(name, `${what} is ${showShape(tensor.shape)} and axis ${axis} ${size}. Give [${size}].`);
    }
    return axis === -1 ? tensor : tensor.reshape(y.shape.map((n, i) => (i === axis ? n : 1)));
  };
  const scaled = weight ? y.mul(along('weight', weight)) : y;
  return bias ? scaled.add(along('bias', bias)) : scaled;
}
