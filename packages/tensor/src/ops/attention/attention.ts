// Attention: its three ops, and how their kernels see them.
import { ShapeError, ValueError } from '../../errors.js';
import { floatLiteral, floats, promote, requireDType } from '../../graph/dtype.js';
import { type Extent, fixed, type GeneratedKernel } from '../../graph/kernel.js';
import { showType, type Type } from '../../graph/node.js';
import type { TiledContext } from '../../graph/op.js';
import { sameShape, showShape, sizeOf } from '../../graph/shape.js';
import { chooseAttention } from '../../kernels/attention/choose.js';
import { generateAttention } from '../../kernels/attention/kernels.js';
import type { AttentionKernel, AttentionSpec } from '../../kernels/attention/spec.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/functions.js';
import { zeros } from '../creation/constant.js';
import { applyAll, type GradientContext, onDeviceOf, requireTensor, tiled, type WithOp, withOp } from '../define/op.js';
import { logSumExp } from '../reduce/reductions.js';
import { where } from '../where.js';

/** The attributes of the three ops. */
type AttentionAttributes = { readonly scale: number };

// Inputs: q [B, N, H, d], k and v [B, M, H, d], and a mask [B, M] if there is one. Outputs: out like q, and the
// logarithms of the softmax's denominators [B, H, N], from which the backward kernels get the probabilities back.
const op = tiled<AttentionAttributes>({
  name: 'attention',
  infer: likeQuery,
  generate: (context) => attentionKernel('forward', context),
  flops: (inputs) => 2 * productFlops(inputs), // q·kᵀ, p·v
  reference,
  // A cotangent of the logarithms comes with second gradients only.
  vjp: (context) => (context.cotangents[1] ? context.pullThrough(reference) : attentionGradients(context)),
});

/** The types of something like q, and of a number for each of its rows, [B, H, N]. */
function likeQuery([q]: readonly Type[]): Type[] {
  const [b, n, h] = q!.shape as [number, number, number];
  return [q!, { shape: [b, h, n], dtype: 'f32' }];
}

/** Of one product of all queries with all keys: q [B, N, H, d], k [B, M, H, d]. */
function productFlops([q, k]: readonly Type[]): number {
  return 2 * sizeOf(q!.shape) * k!.shape[1]!;
}

/** The kernel's results in plain operations. */
function reference([q, k, v, mask]: readonly Tensor[], { scale }: AttentionAttributes): readonly Tensor[] {
  const scores = scoresOf(q!, k!, mask, scale);
  const denominators = logSumExp(scores);
  const weights = exp(scores.sub(column(denominators)));
  return [heads(weights.matmul(heads(v!))), denominators];
}

/** Swaps tokens and heads: [B, N, H, d] ↔ [B, H, N, d]. */
function heads(x: Tensor): Tensor {
  return x.permute([0, 2, 1, 3]);
}

/** The scores that softmax sees, [B, H, N, M], in plain operations. */
function scoresOf(q: Tensor, k: Tensor, mask: Tensor | undefined, scale: number): Tensor {
  const scores = heads(q).matmul(heads(k).transpose()).mul(scale);
  return mask ? where(mask.reshape([mask.shape[0]!, 1, 1, mask.shape[1]!]), scores, -1e30) : scores;
}

/** A scale other than 1/√d, and a mask. */
export interface AttentionOptions {
  /** bool [B, M]: false hides a key from all queries. A query that sees no key gets zeros. */
  readonly mask?: Tensor | undefined;
  /** Multiplies the scores; 1/√d by default. Compiled in. */
  readonly scale?: number | undefined;
}

/**
 * Scaled dot-product attention, softmax(q·kᵀ · scale)·v: q [B, N, H, d], k and v [B, M, H, d] → [B, N, H, d]. One
 * kernel forward and two backward, with no N × M matrix in memory.
 * https://arxiv.org/abs/1706.03762, equation 1; https://arxiv.org/abs/2205.14135.
 * @throws ShapeError if the shapes do not fit; ValueError for a scale that is not finite; DTypeError for anything but floats
 */
export const attention: WithOp<(q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions) => Tensor> = withOp(
  op,
  (q, k, v, { mask, scale } = {}) => {
    for (const tensor of [q, k, v]) requireDType('attention', requireTensor('attention', tensor).dtype, floats);
    const [b, , h, d] = q.shape;
    const keys = [b, k.shape[1], h, d] as number[];
    if (q.rank !== 4 || !sameShape(k.shape, keys) || !sameShape(v.shape, keys)) {
      const got = [q, k, v].map((x) => showShape(x.shape)).join(', ');
      throw new ShapeError(
        'attention',
        `q must be [B, N, H, d] and k, v [B, M, H, d]: got ${got}. Permute or reshape.`,
      );
    }
    const wanted = { shape: keys.slice(0, 2), dtype: 'bool' } as const;
    if (mask && showType(mask) !== showType(wanted)) {
      throw new ShapeError('attention', `the mask must be ${showType(wanted)}, got ${showType(mask)}.`);
    }
    const attributes = { scale: scale ?? 1 / Math.sqrt(Math.max(1, d!)) };
    if (!Number.isFinite(Math.fround(attributes.scale))) {
      throw new ValueError('attention', `the scale is ${scale}. Give a finite number.`);
    }
    const dtype = [k, v].reduce((common, x) => promote('attention', common, x.dtype), q.dtype);
    const wide = [q, k, v].map((x) => x.cast(dtype));
    if (d === 0) return onDeviceOf('attention', zeros(q.shape, dtype), [q, k, v]);
    return applyAll(op, mask ? [...wide, mask] : wide, attributes)[0]!;
  },
);

// Backward: probabilities are recomputed from the saved logarithms.

// q, k, v, out, its cotangent, the logarithms, [mask] → gradient of q, and delta [B, H, N] = Σ out · cotangent.
const queryOp = tiled<AttentionAttributes>({
  name: 'attentionBackwardQuery',
  infer: likeQuery,
  generate: (context) => attentionKernel('backwardQuery', context),
  flops: (inputs) => 3 * productFlops(inputs), // q·kᵀ, do·vᵀ, ds·k
  reference: queryReference,
  // Second gradients are those of the plain form.
  vjp: (context) => context.pullThrough(queryReference),
});

// q, k, v, the cotangent, the logarithms, delta, [mask] → gradients of k and v.
const keyOp = tiled<AttentionAttributes>({
  name: 'attentionBackwardKey',
  infer: (inputs) => [inputs[1]!, inputs[2]!],
  generate: (context) => attentionKernel('backwardKey', context),
  flops: (inputs) => 4 * productFlops(inputs), // q·kᵀ, do·vᵀ, dsᵀ·q, pᵀ·do
  reference: keyReference,
  vjp: (context) => context.pullThrough(keyReference),
});

/** The gradient of the query, and delta. */
function queryReference(inputs: readonly Tensor[], { scale }: AttentionAttributes): readonly Tensor[] {
  const [q, k, v, out, cotangent, logs, mask] = inputs as readonly [Tensor, Tensor, Tensor, ...Tensor[]];
  const delta = heads(out!.mul(cotangent!)).sum(-1);
  const weights = exp(scoresOf(q, k, mask, scale).sub(column(logs!)));
  return [heads(slopeOf(weights, v, cotangent!, delta, scale).matmul(heads(k))), delta];
}

/** The gradients of key and value. */
function keyReference(inputs: readonly Tensor[], { scale }: AttentionAttributes): readonly Tensor[] {
  const [q, k, v, cotangent, logs, delta, mask] = inputs as readonly [Tensor, Tensor, Tensor, ...Tensor[]];
  const weights = exp(scoresOf(q, k, mask, scale).sub(column(logs!)));
  const slope = slopeOf(weights, v, cotangent!, delta!, scale);
  return [heads(slope.transpose().matmul(heads(q))), heads(weights.transpose().matmul(heads(cotangent!)))];
}

/** The gradient of the scores before scaling, [B, H, N, M], of the probabilities. */
function slopeOf(weights: Tensor, v: Tensor, cotangent: Tensor, delta: Tensor, scale: number): Tensor {
  return weights.mul(heads(cotangent).matmul(heads(v).transpose()).sub(column(delta))).mul(scale);
}

/** Numbers of rows [B, H, N] in the rank of the scores, [B, H, N, 1]. */
function column(x: Tensor): Tensor {
  return x.reshape([...x.shape, 1]);
}

/** The gradients of q, k and v, in two kernels. */
function attentionGradients(context: GradientContext<AttentionAttributes>): (Tensor | undefined)[] {
  const { inputs, outputs, cotangents, attributes } = context;
  const [out, logs] = outputs as [Tensor, Tensor];
  const [cotangent] = cotangents;
  if (!cotangent) return [];
  const [operands, mask] = [inputs.slice(0, 3), inputs.slice(3)];
  const [dq, delta] = applyAll(queryOp, [...operands, out, cotangent, logs, ...mask], attributes) as [Tensor, Tensor];
  const [dk, dv] = applyAll(keyOp, [...operands, cotangent, logs, delta, ...mask], attributes);
  return [dq, dk, dv];
}

/** In the order of each op's inputs, behind which a mask may come, and of its outputs. */
const names = {
  forward: { reads: ['q', 'k', 'v'], stores: ['out', 'log_sum'] },
  backwardQuery: { reads: ['q', 'k', 'v', 'out', 'cotangent', 'log_sum'], stores: ['dq', 'delta'] },
  backwardKey: { reads: ['q', 'k', 'v', 'cotangent', 'log_sum', 'delta'], stores: ['dk', 'dv'] },
};

/** The kernel of an op, for the adapter at hand. The size of the batch is a uniform. */
function attentionKernel(kernel: AttentionKernel, context: TiledContext): GeneratedKernel {
  const { inputs, outputs, attributes, uniform } = context;
  const { reads, stores } = names[kernel];
  const [b, n, h, headDim] = inputs[0]!.shape as [number, number, number, number];
  const input = (name: string) => context.operand(name === 'mask' ? reads.length : reads.indexOf(name));
  const spec: AttentionSpec = {
    batch: uniform(b),
    heads: fixed(h),
    queries: fixed(n),
    keys: fixed(inputs[1]!.shape[1]!),
    headDim,
    scale: floatLiteral(attributes.scale as number),
    masked: inputs.length > reads.length,
    operand(name) {
      const { element, window } = input(name);
      const strides = window.strides.map(fixed) as [Extent, Extent, Extent, Extent];
      const [batchStride, rowStride, headStride, columnStride] = strides;
      return { element, batchStride, rowStride, headStride, columnStride, offset: fixed(window.offset) };
    },
    number(name, ...at) {
      const { element, window } = input(name);
      const terms = at.map((index, axis) => `${index} * ${fixed(window.strides[axis]!).wgsl}`);
      return element([fixed(window.offset).wgsl, ...terms].join(' + '));
    },
    store(name, { batch, head, row, column }, value) {
      const output = stores.indexOf(name);
      const [, second, third] = outputs[output]!.shape;
      if (!column) return context.store(output, `(${batch} * ${second}u + ${head}) * ${third}u + ${row}`, value);
      const place = { row: `((${batch} * ${second}u + ${row}) * ${third}u + ${head})`, column, width: headDim };
      return context.store(output, `${place.row} * ${headDim}u + ${column}`, value, place);
    },
  };
  return generateAttention(kernel, spec, chooseAttention(kernel, headDim, context.adapter));
}
