// The backward kernels of attention: probabilities are computed again from the saved logarithms.

import { pullThrough } from '../../autodiff/gradient.js';
import { isContiguous, type Strided } from '../../graph/strided.js';
import { attentionBackwardKey, attentionBackwardQuery, chooseAttention } from '../../kernels/attention/index.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { applyAll, tiled } from '../define.js';
import type { VjpContext } from '../op.js';
import {
  type AttentionAttributes,
  heads,
  likeQuery,
  problemOf,
  productFlops,
  readStatistic,
  rowsOperand,
  scoresOf,
  storeRows,
  storeStatistic,
} from './attention.js';

/** Rows are read through any window, statistics as they lie. */
const windows = (window: Strided) => window.shape.length === 4 || isContiguous(window);

// q, k, v, [mask], then out, its cotangent and the logarithms → gradient of q, and delta [B, H, N] = Σ out · cotangent.
const queryOp = tiled<AttentionAttributes>({
  name: 'attentionBackwardQuery',
  infer: likeQuery,
  generate(context) {
    const { operand, attributes, adapter } = context;
    const problem = problemOf(context);
    const first = attributes.masked ? 4 : 3;
    const spec = {
      ...problem,
      logSumExp: readStatistic(operand(first + 2), problem),
      out: rowsOperand(operand(first)),
      cotangent: rowsOperand(operand(first + 1)),
      store: storeRows(context, 0, problem),
      storeDelta: storeStatistic(context, 1, problem),
    };
    return attentionBackwardQuery(spec, chooseAttention('backwardQuery', problem.headDim, adapter));
  },
  windows,
  flops: (inputs) => 3 * productFlops(inputs), // q·kᵀ, do·vᵀ, ds·k
  reference: queryReference,
  // Second gradients are those of the plain form.
  vjp: (context) => pullThrough(queryReference, context),
});

// q, k, v, [mask], then the cotangent, the logarithms and delta → gradients of k and v.
const keyOp = tiled<AttentionAttributes>({
  name: 'attentionBackwardKey',
  infer: (inputs) => [inputs[1]!, inputs[2]!],
  generate(context) {
    const { operand, attributes, adapter } = context;
    const problem = problemOf(context);
    const first = attributes.masked ? 4 : 3;
    const spec = {
      ...problem,
      logSumExp: readStatistic(operand(first + 1), problem),
      delta: readStatistic(operand(first + 2), problem),
      cotangent: rowsOperand(operand(first)),
      storeKey: storeRows(context, 0, problem),
      storeValue: storeRows(context, 1, problem),
    };
    return attentionBackwardKey(spec, chooseAttention('backwardKey', problem.headDim, adapter));
  },
  windows,
  flops: (inputs) => 4 * productFlops(inputs), // q·kᵀ, do·vᵀ, dsᵀ·q, pᵀ·do
  reference: keyReference,
  vjp: (context) => pullThrough(keyReference, context),
});

/** The gradient of the query, and delta. */
function queryReference(inputs: readonly Tensor[], attributes: AttentionAttributes): readonly Tensor[] {
  const [out, cotangent, logs] = inputs.slice(attributes.masked ? 4 : 3) as [Tensor, Tensor, Tensor];
  const delta = heads(out.mul(cotangent)).sum(-1);
  const { slope } = slopes(inputs, attributes, cotangent, logs, delta);
  return [heads(slope.matmul(heads(inputs[1]!))), delta];
}

/** The gradients of key and value. */
function keyReference(inputs: readonly Tensor[], attributes: AttentionAttributes): readonly Tensor[] {
  const [cotangent, logs, delta] = inputs.slice(attributes.masked ? 4 : 3) as [Tensor, Tensor, Tensor];
  const { slope, weights } = slopes(inputs, attributes, cotangent, logs, delta);
  return [heads(slope.transpose().matmul(heads(inputs[0]!))), heads(weights.transpose().matmul(heads(cotangent)))];
}

/** The probabilities, and the gradient of the scores before scaling, [B, H, N, M]. */
function slopes(
  inputs: readonly Tensor[],
  attributes: AttentionAttributes,
  cotangent: Tensor,
  logs: Tensor,
  delta: Tensor,
): { weights: Tensor; slope: Tensor } {
  const column = [...logs.shape, 1];
  const weights = exp(scoresOf(inputs, attributes).sub(logs.reshape(column)));
  const inner = heads(cotangent).matmul(heads(inputs[2]!).transpose()).sub(delta.reshape(column));
  return { weights, slope: weights.mul(inner).mul(attributes.scale) };
}

/** The gradients of q, k and v, in two kernels. */
export function attentionGradients(context: VjpContext<AttentionAttributes>): (Tensor | undefined)[] {
  const { inputs, outputs, cotangents, attributes, wants } = context;
  const [out, logs] = outputs as [Tensor, Tensor];
  const cotangent = cotangents[0];
  if (!cotangent) return [];
  const [dq, delta] = applyAll(queryOp, [...inputs, out, cotangent, logs], attributes) as [Tensor, Tensor];
  if (!wants(1) && !wants(2)) return [dq];
  const [dk, dv] = applyAll(keyOp, [...inputs, cotangent, logs, delta], attributes);
  return [dq, dk, dv];
}
