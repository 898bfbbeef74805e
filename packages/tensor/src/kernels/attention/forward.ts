import type { GeneratedKernel } from '../contract.js';
import { type AttentionForwardSpec, AttentionText, type AttentionTile } from './spec.js';

/**
 * Attention with the online softmax of FlashAttention (https://arxiv.org/abs/2205.14135, algorithm 1): an invocation
 * walks over the keys of its query once, keeping the running maximum, the sum of exponentials, and the weighted sum of
 * values, all relative to that maximum. Nothing of size N × M exists.
 */
export function attentionForward(spec: AttentionForwardSpec, tile: AttentionTile): GeneratedKernel {
  const text = new AttentionText(spec, tile);
  const { q, k, v } = spec;
  const at = { batch: 'batch', head: 'head', row: 'row' };
  const key = text.eachRow(spec.keys, { k, v }, (read) => {
    const update = `
  var score = 0f;
  ${text.dot('score', 'q', q, (column) => read('k', column))}
  score *= ${spec.scale};
  let new_maximum = max(maximum, score);
  let decay = exp(maximum - new_maximum);
  let weight = exp(score - new_maximum);
  maximum = new_maximum;
  total = total * decay + weight;
  ${text.eachColumn((i, column) => `out${i} = out${i} * decay + weight * ${read('v', column)};`)}`;
    return spec.mask ? `if (${spec.mask({ batch: 'batch', key: 'other' })}) {${update}\n}` : update;
  });
  return {
    name: `attention_forward_${spec.headDim}`,
    declarations: text.declarations(['k', 'v']),
    body: `
${text.declare(spec.queries, { q, k, v })}
${text.hold('q', q)}
var maximum = -3.4e38f;
var total = 0f;
${text.eachColumn((i) => `var out${i} = 0f;`)}
${key}
if (owns) {
  // Without any key the sum is empty: zeros, and a logarithm so large that every probability of the backward is zero.
  let empty = total == 0f;
  let normalize = select(1f / total, 0f, empty);
  ${text.eachColumn((i) => `out${i} *= normalize;`)}
  ${text.storeColumns('out', (element, value) => spec.store(element, value))}
  if (workgroup_id.y == 0u) {
    let log_sum = select(maximum + log(total), 3.4e38f, empty);
    ${spec.storeLogSumExp(at, 'log_sum')}
  }
}`,
    workgroupSize: [tile.lanes, 1, 1],
    workgroups: text.workgroups(spec.queries),
  };
}
