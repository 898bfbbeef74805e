// Attention's three kernels. Both directions are FlashAttention's (https://arxiv.org/abs/2205.14135): the forward is the
// online softmax of algorithm 1, the backward that of appendix B.2. With
//   P = exp(scale · q kᵀ − logSumExp),  dP = dO vᵀ,  delta = rowsum(dO ∘ O),  dS = P ∘ (dP − delta):
//   dq = scale · dS k,   dk = scale · dSᵀ q,   dv = Pᵀ dO.
// Nothing of size N × M is stored: P is computed again from what the forward saved. Each row of a result is summed in the
// order of the other side's rows: no atomics, the same bytes every time.
import type { GeneratedKernel } from '../contract.js';
import { type LaneRow, LaneRowText } from './lane-row.js';
import {
  type AttentionForwardSpec,
  type AttentionKeySpec,
  type AttentionProblem,
  type AttentionQuerySpec,
  LOWEST,
} from './spec.js';
import { type SubgroupTile, SubgroupTileText } from './subgroup-tile.js';
import type { AttentionText, Sides } from './text.js';

/** A layout with its parameters: plain data, so that a tuning table can hold it. */
export type AttentionChoice =
  | ({ readonly kernel: 'laneRow' } & LaneRow)
  | ({ readonly kernel: 'subgroupTile' } & SubgroupTile);

function textOf(problem: AttentionProblem, sides: Sides, choice: AttentionChoice): AttentionText {
  return choice.kernel === 'laneRow'
    ? new LaneRowText(problem, sides, choice)
    : new SubgroupTileText(problem, sides, choice);
}

/** See {@link AttentionForwardSpec}. */
export function attentionForward(spec: AttentionForwardSpec, choice: AttentionChoice): GeneratedKernel {
  const { queries, keys, q, k, v, scale } = spec;
  const text = textOf(spec, { own: queries, other: keys, held: { q }, walked: { k, v } }, choice);
  const { eachRow, eachOther } = text;
  const update = (i: number) => `var highest_${i} = maximum_${i};
${eachOther((j) => `score_${i}_${j} = select(${LOWEST}, score_${i}_${j} * ${scale}, taken_${j});`)}
${eachOther((j) => `highest_${i} = max(highest_${i}, score_${i}_${j});`)}
${text.reduce(`highest_${i}`, (x, y) => `max(${x}, ${y})`)}
let decay_${i} = exp(maximum_${i} - highest_${i});
maximum_${i} = highest_${i};
${eachOther((j) => `score_${i}_${j} = select(0f, exp(score_${i}_${j} - highest_${i}), taken_${j});`)}
total_${i} = total_${i} * decay_${i} + ${text.sumOfOthers((j) => `score_${i}_${j}`)};`;
  // Without any key the sum is empty: zeros, and a logarithm so large that every probability of the backward is zero.
  const finish = (i: number) => `${text.reduce(`total_${i}`, (x, y) => `${x} + ${y}`)}
let empty_${i} = total_${i} == 0f;
let normalize_${i} = select(1f / total_${i}, 0f, empty_${i});
let log_sum_${i} = select(maximum_${i} + log(total_${i}), -(${LOWEST}), empty_${i});`;
  return text.kernel('forward', [
    text.sums('out'),
    eachRow((i) => `var maximum_${i} = ${LOWEST}; var total_${i} = 0f;`),
    text.walk([
      text.scores('score', 'q', 'k'),
      eachOther((j) => `let taken_${j} = ${taken(spec, j)};`),
      eachRow(update),
      text.accumulate('out', 'score', 'v', 'decay'),
    ]),
    eachRow(finish),
    text.scale('out', 'normalize'),
    text.store('out', (at, value) => spec.store(at, value)),
    text.storeRows('log_sum', (at, value) => spec.storeLogSumExp(at, value)),
  ]);
}

/** Gradient of q; see {@link AttentionQuerySpec}. */
export function attentionBackwardQuery(spec: AttentionQuerySpec, choice: AttentionChoice): GeneratedKernel {
  const { queries, keys, q, k, v, out, cotangent, scale } = spec;
  const sides = { own: queries, other: keys, held: { q, cotangent }, once: { out }, walked: { k, v } };
  const text = textOf(spec, sides, choice);
  const { eachRow, eachOther } = text;
  const slope = (i: number, j: number) => `{
let weight = select(0f, exp(score_${i}_${j} * ${scale} - log_sum_${i}), taken_${j});
d_score_${i}_${j} = weight * (d_score_${i}_${j} - delta_${i}) * ${scale};
}`;
  return text.kernel('backward_query', [
    text.sums('dq'),
    text.products('delta', 'cotangent', 'out'),
    text.ofRows('log_sum', 'f32', spec.logSumExp({ batch: 'batch', head: 'head', row: 'row' })),
    text.walk([
      text.scores('score', 'q', 'k'),
      text.scores('d_score', 'cotangent', 'v'),
      eachOther((j) => `let taken_${j} = ${taken(spec, j)};`),
      eachRow((i) => eachOther((j) => slope(i, j))),
      text.accumulate('dq', 'd_score', 'k'),
    ]),
    text.store('dq', (at, value) => spec.store(at, value)),
    text.storeRows('delta', (at, value) => spec.storeDelta(at, value)),
  ]);
}

/** Gradients of k and v; see {@link AttentionKeySpec}. */
export function attentionBackwardKey(spec: AttentionKeySpec, choice: AttentionChoice): GeneratedKernel {
  const { queries, keys, q, k, v, cotangent, scale } = spec;
  const text = textOf(spec, { own: keys, other: queries, held: { k, v }, walked: { q, cotangent } }, choice);
  const { eachRow, eachOther } = text;
  const query = (j: number) => ({ batch: 'batch', head: 'head', row: `other_${j}` });
  const slope = (i: number, j: number) => `{
let weight = select(0f, exp(score_${i}_${j} * ${scale} - log_sum_${j}), taken_${i} && exists_${j});
score_${i}_${j} = weight;
d_score_${i}_${j} = weight * (d_score_${i}_${j} - delta_${j}) * ${scale};
}`;
  return text.kernel('backward_key', [
    text.sums('dk'),
    text.sums('dv'),
    text.ofRows('taken', 'bool', spec.mask?.({ batch: 'batch', key: 'row' }) ?? 'true'),
    text.walk([
      text.scores('score', 'k', 'q'),
      text.scores('d_score', 'v', 'cotangent'),
      eachOther((j) => `let log_sum_${j} = ${spec.logSumExp(query(j))}; let delta_${j} = ${spec.delta(query(j))};`),
      eachRow((i) => eachOther((j) => slope(i, j))),
      text.accumulate('dk', 'd_score', 'q'),
      text.accumulate('dv', 'score', 'cotangent'),
    ]),
    text.store('dk', (at, value) => spec.storeKey(at, value)),
    text.store('dv', (at, value) => spec.storeValue(at, value)),
  ]);
}

/** Whether a key takes part. */
function taken({ mask }: AttentionProblem, j: number): string {
  return mask ? `exists_${j} && ${mask({ batch: 'batch', key: `other_${j}` })}` : `exists_${j}`;
}
