// Attention's three kernels. Both directions are FlashAttention's (https://arxiv.org/abs/2205.14135): the forward is the
// online softmax of algorithm 1, the backward that of appendix B.2. With
//   P = exp(scale · q kᵀ − logSumExp),  dP = dO vᵀ,  delta = rowsum(dO ∘ O),  dS = P ∘ (dP − delta):
//   dq = scale · dS k,   dk = scale · dSᵀ q,   dv = Pᵀ dO.
// Nothing of size N × M is stored: P is recomputed from what the forward saved. Each row of a result is summed in the
// order of the other side's rows: no atomics, the same bytes every time.
import type { GeneratedKernel } from '../../graph/kernel.js';
import { type LaneRow, LaneRowText } from './lane-row.js';
import { type LaneRows, LaneRowsText } from './lane-rows.js';
import { type AttentionKernel, type AttentionSpec, LOWEST } from './spec.js';
import { type SubgroupTile, SubgroupTileText } from './subgroup-tile.js';
import type { AttentionText, Seen, Sides } from './text.js';

/** A layout with its parameters: plain data, so that a tuning table can hold it. */
export type AttentionChoice =
  | ({ readonly kernel: 'laneRow' } & LaneRow)
  | ({ readonly kernel: 'laneRows' } & LaneRows)
  | ({ readonly kernel: 'subgroupTile' } & SubgroupTile);

/** The text of one of the kernels in the chosen layout; see {@link AttentionSpec}. */
export function generateAttention(
  kernel: AttentionKernel,
  spec: AttentionSpec,
  choice: AttentionChoice,
): GeneratedKernel {
  return kernels[kernel](spec, (sides) => {
    switch (choice.kernel) {
      case 'laneRow':
        return new LaneRowText(spec, sides, choice);
      case 'laneRows':
        return new LaneRowsText(spec, sides, choice);
      case 'subgroupTile':
        return new SubgroupTileText(spec, sides, choice);
    }
  });
}

const kernels = { forward, backwardQuery, backwardKey };

type TextOf = (sides: Sides) => AttentionText;

function forward(spec: AttentionSpec, textOf: TextOf): GeneratedKernel {
  const { queries, keys, scale } = spec;
  const text = textOf({ own: queries, other: keys, held: ['q'], walked: ['k', 'v'] });
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
  return text.kernel([
    text.sums('out'),
    eachRow((i) => `var maximum_${i} = ${LOWEST}; var total_${i} = 0f;`),
    text.walk(
      [text.scores('score', 'q', 'k'), eachRow(update), text.accumulate('out', 'score', 'v', 'decay')],
      seenIn(spec),
    ),
    eachRow(finish),
    text.scale('out', 'normalize'),
    text.store('out'),
    text.storeRows('log_sum'),
  ]);
}

function backwardQuery(spec: AttentionSpec, textOf: TextOf): GeneratedKernel {
  const { queries, keys, scale } = spec;
  const held = ['q', 'cotangent'];
  const text = textOf({ own: queries, other: keys, held, once: ['out'], walked: ['k', 'v'] });
  const { eachRow, eachOther } = text;
  const slope = (i: number, j: number) => `{
let weight = select(0f, exp(score_${i}_${j} * ${scale} - log_sum_${i}), taken_${j});
d_score_${i}_${j} = weight * (d_score_${i}_${j} - delta_${i}) * ${scale};
}`;
  return text.kernel([
    text.sums('dq'),
    text.products('delta', 'cotangent', 'out'),
    text.ofRows('log_sum', 'f32', spec.number('log_sum', 'batch', 'head', 'row')),
    text.walk(
      [
        text.scores('score', 'q', 'k'),
        text.scores('d_score', 'cotangent', 'v'),
        eachRow((i) => eachOther((j) => slope(i, j))),
        text.accumulate('dq', 'd_score', 'k'),
      ],
      seenIn(spec),
    ),
    text.store('dq'),
    text.storeRows('delta'),
  ]);
}

function backwardKey(spec: AttentionSpec, textOf: TextOf): GeneratedKernel {
  const { queries, keys, scale } = spec;
  const text = textOf({ own: keys, other: queries, held: ['k', 'v'], walked: ['q', 'cotangent'] });
  const { eachRow, eachOther } = text;
  const ofQuery = (name: string, j: number) =>
    `let ${name}_${j} = ${spec.number(name, 'batch', 'head', `other_${j}`)};`;
  const slope = (i: number, j: number) => `{
let weight = select(0f, exp(score_${i}_${j} * ${scale} - log_sum_${j}), shown_${i} && taken_${j});
score_${i}_${j} = weight;
d_score_${i}_${j} = weight * (d_score_${i}_${j} - delta_${j}) * ${scale};
}`;
  return text.kernel([
    text.sums('dk'),
    text.sums('dv'),
    text.ofRows('shown', 'bool', seenIn(spec)?.('row') ?? 'true'),
    text.walk([
      text.scores('score', 'k', 'q'),
      text.scores('d_score', 'v', 'cotangent'),
      eachOther((j) => `${ofQuery('log_sum', j)} ${ofQuery('delta', j)}`),
      eachRow((i) => eachOther((j) => slope(i, j))),
      text.accumulate('dk', 'd_score', 'q'),
      text.accumulate('dv', 'score', 'cotangent'),
    ]),
    text.store('dk'),
    text.store('dv'),
  ]);
}

/** Whether a key takes part; without a mask all do. */
function seenIn(spec: AttentionSpec): Seen | undefined {
  return spec.masked ? (key) => spec.number('mask', 'batch', key) : undefined;
}
