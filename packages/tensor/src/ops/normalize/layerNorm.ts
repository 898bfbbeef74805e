import { ShapeError } from '../../errors.js';
import { floats, requireDType } from '../../graph/dtype.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { rsqrt } from '../arithmetic/rsqrt.js';
import { literal } from '../creation/constant.js';
import { applyOp, composite, requireTensor } from '../define.js';

const op = composite({
  name: 'layerNorm',
  infer([x]) {
    requireDType('layerNorm', x!.dtype, floats);
    return [x!];
  },
  decompose: ([x], { eps }) => {
    const { centered, scale } = statistics(x!, eps as number);
    return [centered.mul(scale)];
  },
  // x̂ = (x − μ)/σ;  dx = (g − mean(g) − x̂ · mean(g·x̂)) / σ
  vjp({ inputs, cotangent, attributes }) {
    const { centered, scale } = statistics(inputs[0]!, attributes.eps as number);
    const normalized = centered.mul(scale);
    const along = cotangent.mul(normalized).mean(-1, { keepDims: true });
    return [
      cotangent
        .sub(cotangent.mean(-1, { keepDims: true }))
        .sub(normalized.mul(along))
        .mul(scale),
    ];
  },
});

function statistics(x: Tensor, eps: number): { centered: Tensor; scale: Tensor } {
  const centered = x.sub(x.mean(-1, { keepDims: true }));
  return { centered, scale: rsqrt(centered.square().mean(-1, { keepDims: true }).add(literal(eps))) };
}

export interface LayerNormOptions {
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
export const layerNorm = Object.assign(
  (x: Tensor, { weight, bias, eps = 1e-5 }: LayerNormOptions = {}): Tensor => {
    const size = requireTensor('layerNorm', x).shape.at(-1);
    for (const [name, tensor] of [
      ['weight', weight],
      ['bias', bias],
    ] as const) {
      if (tensor && (tensor.rank !== 1 || tensor.size !== size)) {
        throw new ShapeError(
          'layerNorm',
          `${name} is ${showShape(tensor.shape)} and the last axis ${size}. Give [${size}].`,
        );
      }
    }
    let y = applyOp(op, [x], { eps });
    if (weight) y = y.mul(weight);
    return bias ? y.add(bias) : y;
  },
  { op },
);
