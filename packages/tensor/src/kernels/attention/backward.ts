// Backward of attention: FlashAttention (https://arxiv.org/abs/2205.14135, appendix B.2). With
//   P = exp(scale · q kᵀ − logSumExp),  dP = dO vᵀ,  delta = rowsum(dO ∘ O),  dS = P ∘ (dP − delta):
//   dq = scale · dS k,   dk = scale · dSᵀ q,   dv = Pᵀ dO.
// P is computed again from what the forward saved. Each output row belongs to one invocation, which sums in the order of
// the other side's rows: no atomics, the same bytes every time.
import type { GeneratedKernel } from '../contract.js';
import { type AttentionKeySpec, type AttentionQuerySpec, AttentionText, type AttentionTile } from './spec.js';

/** dq and delta: one invocation a query. */
export function attentionBackwardQuery(spec: AttentionQuerySpec, tile: AttentionTile): GeneratedKernel {
  const text = new AttentionText(spec, tile);
  const { q, k, v, out, cotangent } = spec;
  const at = { batch: 'batch', head: 'head', row: 'row' };
  const key = text.eachRow(spec.keys, { k, v }, (read) => {
    const update = `
  var score = 0f;
  ${text.dot('score', 'q', q, (column) => read('k', column))}
  var d_weight = 0f;
  ${text.dot('d_weight', 'cotangent', cotangent, (column) => read('v', column))}
  let d_score = exp(score * ${spec.scale} - log_sum) * (d_weight - delta) * ${spec.scale};
  ${text.eachColumn((i, column) => `dq${i} += d_score * ${read('k', column)};`)}`;
    return spec.mask ? `if (${spec.mask({ batch: 'batch', key: 'other' })}) {${update}\n}` : update;
  });
  return {
    name: `attention_backward_query_${spec.headDim}`,
    declarations: text.declarations(['k', 'v']),
    body: `
${text.declare(spec.queries, { q, k, v, out, cotangent })}
${text.hold('q', q)}
${text.hold('cotangent', cotangent)}
let out_own = out_base + row * ${out.rowStride.wgsl};
var delta = 0f;
${text.dot('delta', 'cotangent', cotangent, (column) => text.ownElement('out', out, column))}
let log_sum = ${spec.logSumExp(at)};
${text.eachColumn((i) => `var dq${i} = 0f;`)}
${key}
if (owns) {
  ${text.storeColumns('dq', (element, value) => spec.store(element, value))}
  if (workgroup_id.y == 0u) {
    ${spec.storeDelta(at, 'delta')}
  }
}`,
    workgroupSize: [tile.lanes, 1, 1],
    workgroups: text.workgroups(spec.queries),
  };
}

/** dk and dv together: one invocation a key. Runs after {@link attentionBackwardQuery}, whose delta it reads. */
export function attentionBackwardKey(spec: AttentionKeySpec, tile: AttentionTile): GeneratedKernel {
  const text = new AttentionText(spec, tile);
  const { q, k, v, cotangent } = spec;
  const other = { batch: 'batch', head: 'head', row: 'other' };
  const query = text.eachRow(
    spec.queries,
    { q, cotangent },
    (read) => `
  var score = 0f;
  ${text.dot('score', 'k', k, (column) => read('q', column))}
  var d_weight = 0f;
  ${text.dot('d_weight', 'v', v, (column) => read('cotangent', column))}
  let weight = exp(score * ${spec.scale} - ${spec.logSumExp(other)});
  let d_score = weight * (d_weight - ${spec.delta(other)}) * ${spec.scale};
  ${text.eachColumn((i, column) => `dk${i} += d_score * ${read('q', column)};`)}
  ${text.eachColumn((i, column) => `dv${i} += weight * ${read('cotangent', column)};`)}`,
  );
  const masked = spec.mask
    ? `if (!(${spec.mask({ batch: 'batch', key: 'row' })})) {
    ${text.eachColumn((i) => `dk${i} = 0f; dv${i} = 0f;`)}
  }`
    : '';
  return {
    name: `attention_backward_key_${spec.headDim}`,
    declarations: text.declarations(['q', 'cotangent']),
    body: `
${text.declare(spec.keys, { q, k, v, cotangent })}
${text.hold('k', k)}
${text.hold('v', v)}
${text.eachColumn((i) => `var dk${i} = 0f; var dv${i} = 0f;`)}
${query}
if (owns) {
  ${masked}
  ${text.storeColumns('dk', (element, value) => spec.storeKey(element, value))}
  ${text.storeColumns('dv', (element, value) => spec.storeValue(element, value))}
}`,
    workgroupSize: [tile.lanes, 1, 1],
    workgroups: text.workgroups(spec.keys),
  };
}
