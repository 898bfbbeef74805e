// The backward kernels of attention: probabilities are recomputed from the saved logarithms.

import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { applyAll } from '../define/apply.js';
import type { GradientContext } from '../define/gradient.js';
import { tiled } from '../define/kinds.js';
import { type AttentionAttributes, heads, likeQuery, productFlops, scoresOf } from './attention.js';
import { attentionKernel } from './kernel.js';

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
export function attentionGradients(context: GradientContext<AttentionAttributes>): (Tensor | undefined)[] {
  const { inputs, outputs, cotangents, attributes } = context;
  const [out, logs] = outputs as [Tensor, Tensor];
  const [cotangent] = cotangents;
  if (!cotangent) return [];
  const [operands, mask] = [inputs.slice(0, 3), inputs.slice(3)];
  const [dq, delta] = applyAll(queryOp, [...operands, out, cotangent, logs, ...mask], attributes) as [Tensor, Tensor];
  const [dk, dv] = applyAll(keyOp, [...operands, cotangent, logs, delta, ...mask], attributes);
  return [dq, dk, dv];
}
