// The backward kernels of attention: probabilities are computed again from the saved logarithms.

import { pullThrough } from '../../autodiff/gradient.js';
import type { Attributes, Type } from '../../graph/node.js';
import { isContiguous } from '../../graph/strided.js';
import { attentionBackwardKey, attentionBackwardQuery, chooseAttention } from '../../kernels/attention/index.js';
import type { Tensor } from '../../tensor.js';
import { exp } from '../arithmetic/exp.js';
import { applyAll, tiled } from '../define.js';
import type { VjpContext } from '../op.js';
import { heads, problemOf, productFlops, rowIndex, rowsOperand, scoresOf, statisticIndex } from './attention.js';

// q, k, v, [mask], then out, its cotangent and the logarithms → gradient of q, and delta [B, H, N] = Σ out · cotangent.
const queryOp = tiled({
  name: 'attentionBackwardQuery',
  infer(inputs) {
    const [q] = inputs as [Type];
    const [b, n, h] = q.shape as [number, number, number];
    return [q, { shape: [b, h, n], dtype: 'f32' }];
  },
  generate(context) {
    const { operand, outputs, attributes, adapter } = context;
    const problem = problemOf(context);
    const first = attributes.masked ? 4 : 3;
    const statistics = operand(first + 2);
    return attentionBackwardQuery(
      {
        ...problem,
        out: rowsOperand(operand(first)),
        cotangent: rowsOperand(operand(first + 1)),
        logSumExp: (at) => statistics.access.element(`${statistics.window.offset}u + ${statisticIndex(at, problem)}`),
        store: (at, value) => context.store(0, `${rowIndex(at, problem, outputs[0]!.shape)} + ${at.column}`, value),
        storeDelta: (at, value) => context.store(1, statisticIndex(at, problem), value),
      },
      chooseAttention('backwardQuery', problem.headDim, adapter),
    );
  },
  windows: (window) => window.shape.length === 4 || isContiguous(window),
  flops: (inputs) => 3 * productFlops(inputs), // q·kᵀ, do·vᵀ, ds·k
  reference: queryReference,
  // Second gradients are those of the plain form.
  vjp: (context) => pullThrough(queryReference, context),
});

// q, k, v, [mask], then the cotangent, the logarithms and delta → gradients of k and v.
const keyOp = tiled({
  name: 'attentionBackwardKey',
  infer: (inputs) => [inputs[1]!, inputs[2]!],
  generate(context) {
    const { operand, outputs, attributes, adapter } = context;
    const problem = problemOf(context);
    const first = attributes.masked ? 4 : 3;
    const [statistics, delta] = [operand(first + 1), operand(first + 2)];
    return attentionBackwardKey(
      {
        ...problem,
        cotangent: rowsOperand(operand(first)),
        logSumExp: (at) => statistics.access.element(`${statistics.window.offset}u + ${statisticIndex(at, problem)}`),
        delta: (at) => delta.access.element(`${delta.window.offset}u + ${statisticIndex(at, problem)}`),
        storeKey: (at, value) => context.store(0, `${rowIndex(at, problem, outputs[0]!.shape)} + ${at.column}`, value),
        storeValue: (at, value) =>
          context.store(1, `${rowIndex(at, problem, outputs[1]!.shape)} + ${at.column}`, value),
      },
      chooseAttention('backwardKey', problem.headDim, adapter),
    );
  },
  windows: (window) => window.shape.length === 4 || isContiguous(window),
  flops: (inputs) => 4 * productFlops(inputs), // q·kᵀ, do·vᵀ, dsᵀ·q, pᵀ·do
  reference: keyReference,
  vjp: (context) => pullThrough(keyReference, context),
});

/** The gradient of the query, and delta. */
function queryReference(inputs: readonly Tensor[], attributes: Attributes): readonly Tensor[] {
  const [q, k, v] = inputs as readonly [Tensor, Tensor, Tensor];
  const first = attributes.masked ? 4 : 3;
  const [out, cotangent, logs] = inputs.slice(first) as [Tensor, Tensor, Tensor];
  const delta = heads(out.mul(cotangent)).sum(-1);
  const { slope } = slopes(
    q,
    k,
    v,
    attributes.masked ? inputs[3] : undefined,
    cotangent,
    logs,
    delta,
    attributes.scale as number,
  );
  return [heads(slope.matmul(heads(k))), delta];
}

/** The gradients of key and value. */
function keyReference(inputs: readonly Tensor[], attributes: Attributes): readonly Tensor[] {
  const [q, k, v] = inputs as readonly [Tensor, Tensor, Tensor];
  const first = attributes.masked ? 4 : 3;
  const [cotangent, logs, delta] = inputs.slice(first) as [Tensor, Tensor, Tensor];
  const mask = attributes.masked ? inputs[3] : undefined;
  const { slope, weights } = slopes(q, k, v, mask, cotangent, logs, delta, attributes.scale as number);
  return [heads(slope.transpose().matmul(heads(q))), heads(weights.transpose().matmul(heads(cotangent)))];
}

/** The probabilities, and the gradient of the scores before scaling, [B, H, N, M]. */
function slopes(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor | undefined,
  cotangent: Tensor,
  logs: Tensor,
  delta: Tensor,
  scale: number,
): { weights: Tensor; slope: Tensor } {
  const column = [...logs.shape, 1];
  const weights = exp(scoresOf(q, k, mask, { scale }).scores.sub(logs.reshape(column)));
  const inner = heads(cotangent).matmul(heads(v).transpose()).sub(delta.reshape(column));
  return { weights, slope: weights.mul(inner).mul(scale) };
}

/** The gradients of q, k and v, in two kernels. */
export function attentionGradients({
  inputs,
  outputs,
  cotangents,
  attributes,
  wants,
}: VjpContext): (Tensor | undefined)[] {
  const [, logs] = outputs as [Tensor, Tensor];
  const cotangent = cotangents[0];
  if (!cotangent) return [];
  const [dq, delta] = applyAll(queryOp, [...inputs, outputs[0]!, cotangent, logs], attributes) as [Tensor, Tensor];
  if (!wants(1) && !wants(2)) return [dq];
  const [dk, dv] = applyAll(keyOp, [...inputs, cotangent, logs, delta], attributes);
  return [dq, dk, dv];
}
