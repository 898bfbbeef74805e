// The twin for GPUs. Each invocation keeps its own row and what it accumulates in registers, so everything along the head
// dimension is unrolled; a workgroup copies the other side's rows into its memory, a few at a time.
import type { GeneratedKernel } from '../contract.js';
import { type RegisterRow, RegisterRowText } from './register-row-text.js';
import { type AttentionForwardSpec, type AttentionKeySpec, type AttentionQuerySpec, LOWEST } from './spec.js';

/** Forward; see {@link AttentionForwardSpec}. */
export function registerRowForward(spec: AttentionForwardSpec, tile: RegisterRow): GeneratedKernel {
  const text = new RegisterRowText(spec, tile);
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
    name: `attention_forward_register_row`,
    declarations: text.declarations(['k', 'v']),
    body: `
${text.declare(spec.queries, { q, k, v })}
${text.hold('q', q)}
var maximum = ${LOWEST};
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
    let log_sum = select(maximum + log(total), -(${LOWEST}), empty);
    ${spec.storeLogSumExp(at, 'log_sum')}
  }
}`,
    workgroupSize: [tile.lanes, 1, 1],
    workgroups: text.workgroups(spec.queries),
  };
}

/** Gradient of q; see {@link AttentionQuerySpec}. */
export function registerRowBackwardQuery(spec: AttentionQuerySpec, tile: RegisterRow): GeneratedKernel {
  const text = new RegisterRowText(spec, tile);
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
    name: `attention_backward_query_register_row`,
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

/** Gradients of k and v; see {@link AttentionKeySpec}. */
export function registerRowBackwardKey(spec: AttentionKeySpec, tile: RegisterRow): GeneratedKernel {
  const text = new RegisterRowText(spec, tile);
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
    name: `attention_backward_key_register_row`,
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
