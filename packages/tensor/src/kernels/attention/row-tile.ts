// The twin for adapters that run on the CPU. The lanes of a workgroup are one SIMD register, each with a row of its own;
// the rows of the other side are taken a few at a time and read once for all lanes. Loops over the head dimension stay
// loops, and what is accumulated along it an array in memory: unrolled into registers, as the twin for GPUs has it, the
// text takes such a driver seconds to compile.
import { type Extent, type GeneratedKernel, HIDDEN_ZERO, tiles, unroll } from '../contract.js';
import {
  type AttentionForwardSpec,
  type AttentionKeySpec,
  type AttentionOperand,
  type AttentionProblem,
  type AttentionQuerySpec,
  LOWEST,
} from './spec.js';

export interface RowTile {
  /** Rows a workgroup, one an invocation. */
  readonly lanes: number;
  /** Rows of the other side that are taken at a time. */
  readonly rows: number;
}

const OWN = { batch: 'batch', head: 'head', row: 'row' };

/** Forward; see {@link AttentionForwardSpec}. */
export function rowTileForward(spec: AttentionForwardSpec, tile: RowTile): GeneratedKernel {
  const { q, k, v } = spec;
  const each = (term: (j: number) => string) => unroll(tile.rows, term);
  const highest = each((j) => `new_maximum = max(new_maximum, score_${j});`);
  const weights = sum(tile, (j) => `weight_${j}`);
  const values = sum(tile, (j) => `weight_${j} * ${other(v, 'v', j)}`);
  const walk = eachTile(spec.keys, tile, { k, v }, [
    each((j) => `var score_${j} = 0f;`),
    eachColumn(
      `let x = ${own(q, 'q')};`,
      each((j) => `score_${j} += x * ${other(k, 'k', j)};`),
    ),
    each((j) => `let taken_${j} = ${taken(spec, j)};`),
    each((j) => `score_${j} = select(${LOWEST}, score_${j} * ${spec.scale}, taken_${j});`),
    'var new_maximum = maximum;',
    highest,
    'let decay = exp(maximum - new_maximum);',
    each((j) => `let weight_${j} = select(0f, exp(score_${j} - new_maximum), taken_${j});`),
    'maximum = new_maximum;',
    `total = total * decay + (${weights});`,
    eachColumn(`sums[c] = sums[c] * decay + (${values});`),
  ]);
  return kernel('forward', spec, spec.queries, tile, [
    ownRows(spec.queries, tile, { q, k, v }, ['q']),
    `var sums: array<f32, ${spec.headDim}>;`,
    `var maximum = ${LOWEST};`,
    'var total = 0f;',
    walk,
    'if (owns) {',
    // Without any key the sum is empty: zeros, and a logarithm so large that the backward's probabilities are all zero.
    'let empty = total == 0f;',
    'let normalize = select(1f / total, 0f, empty);',
    eachColumn('let value = sums[c] * normalize;', spec.store({ ...OWN, column: 'c' }, 'value')),
    `let log_sum = select(maximum + log(total), -(${LOWEST}), empty);`,
    spec.storeLogSumExp(OWN, 'log_sum'),
    '}',
  ]);
}

/** Gradient of q; see {@link AttentionQuerySpec}. */
export function rowTileBackwardQuery(spec: AttentionQuerySpec, tile: RowTile): GeneratedKernel {
  const { q, k, v, out, cotangent, scale } = spec;
  const each = (term: (j: number) => string) => unroll(tile.rows, term);
  const walk = eachTile(spec.keys, tile, { k, v }, [
    each((j) => `var score_${j} = 0f; var d_weight_${j} = 0f;`),
    eachColumn(
      `let x = ${own(q, 'q')}; let y = ${own(cotangent, 'cotangent')};`,
      each((j) => `score_${j} += x * ${other(k, 'k', j)}; d_weight_${j} += y * ${other(v, 'v', j)};`),
    ),
    each((j) => `let weight_${j} = select(0f, exp(score_${j} * ${scale} - log_sum), ${taken(spec, j)});`),
    each((j) => `let d_score_${j} = weight_${j} * (d_weight_${j} - delta) * ${scale};`),
    eachColumn(`sums[c] += ${sum(tile, (j) => `d_score_${j} * ${other(k, 'k', j)}`)};`),
  ]);
  return kernel('backward_query', spec, spec.queries, tile, [
    ownRows(spec.queries, tile, { q, k, v, out, cotangent }, ['q', 'out', 'cotangent']),
    `var sums: array<f32, ${spec.headDim}>;`,
    'var delta = 0f;',
    eachColumn(`delta += ${own(cotangent, 'cotangent')} * ${own(out, 'out')};`),
    `let log_sum = ${spec.logSumExp(OWN)};`,
    walk,
    'if (owns) {',
    eachColumn('let value = sums[c];', spec.store({ ...OWN, column: 'c' }, 'value')),
    spec.storeDelta(OWN, 'delta'),
    '}',
  ]);
}

/** Gradients of k and v; see {@link AttentionKeySpec}. */
export function rowTileBackwardKey(spec: AttentionKeySpec, tile: RowTile): GeneratedKernel {
  const { q, k, v, cotangent, scale } = spec;
  const each = (term: (j: number) => string) => unroll(tile.rows, term);
  const query = (j: number) => ({ batch: 'batch', head: 'head', row: `other_${j}` });
  const mine = spec.mask ? spec.mask({ batch: 'batch', key: 'row' }) : 'true';
  const walk = eachTile(spec.queries, tile, { q, cotangent }, [
    each((j) => `var score_${j} = 0f; var d_weight_${j} = 0f;`),
    eachColumn(
      `let x = ${own(k, 'k')}; let y = ${own(v, 'v')};`,
      each((j) => `score_${j} += x * ${other(q, 'q', j)}; d_weight_${j} += y * ${other(cotangent, 'cotangent', j)};`),
    ),
    each((j) => `let log_sum_${j} = ${spec.logSumExp(query(j))};`),
    each((j) => `let weight_${j} = select(0f, exp(score_${j} * ${scale} - log_sum_${j}), mine && exists_${j});`),
    each((j) => `let d_score_${j} = weight_${j} * (d_weight_${j} - ${spec.delta(query(j))}) * ${scale};`),
    eachColumn(
      `dk[c] += ${sum(tile, (j) => `d_score_${j} * ${other(q, 'q', j)}`)};`,
      `dv[c] += ${sum(tile, (j) => `weight_${j} * ${other(cotangent, 'cotangent', j)}`)};`,
    ),
  ]);
  return kernel('backward_key', spec, spec.keys, tile, [
    ownRows(spec.keys, tile, { q, k, v, cotangent }, ['k', 'v']),
    `let mine = ${mine};`,
    `var dk: array<f32, ${spec.headDim}>;`,
    `var dv: array<f32, ${spec.headDim}>;`,
    walk,
    'if (owns) {',
    eachColumn('let value = dk[c];', spec.storeKey({ ...OWN, column: 'c' }, 'value')),
    eachColumn('let value = dv[c];', spec.storeValue({ ...OWN, column: 'c' }, 'value')),
    '}',
  ]);
}

function kernel(
  name: string,
  spec: AttentionProblem,
  own: Extent,
  tile: RowTile,
  statements: readonly string[],
): GeneratedKernel {
  const columns = `let columns = ${spec.headDim}u + ${HIDDEN_ZERO};`;
  return {
    name: `attention_${name}_row_tile_${tile.rows}`,
    declarations: '',
    body: [columns, ...statements].join('\n'),
    workgroupSize: [tile.lanes, 1, 1],
    workgroups: [tiles(own, tile.lanes), spec.heads.value, spec.batch.value],
  };
}

/** Declares `batch`, `head`, `row` (clamped; `owns` says whether it is real), the operands' bases and own rows. */
function ownRows(
  count: Extent,
  tile: RowTile,
  operands: Record<string, AttentionOperand>,
  owned: readonly string[],
): string {
  const bases = Object.entries(operands).map(([name, x]) => {
    return `let ${name}_base = ${x.offset.wgsl} + batch * ${x.batchStride.wgsl} + head * ${x.headStride.wgsl};`;
  });
  return `let batch = workgroup_id.z;
let head = workgroup_id.y;
let own_row = workgroup_id.x * ${tile.lanes}u + local_index;
let owns = own_row < ${count.wgsl};
let row = min(own_row, ${count.wgsl} - 1u);
${bases.join('\n')}
${owned.map((name) => `let ${name}_own = ${name}_base + row * ${operands[name]!.rowStride.wgsl};`).join('\n')}`;
}

function own(x: AttentionOperand, name: string): string {
  return x.access.element(`${name}_own + c * ${x.columnStride.wgsl}`);
}

function other(x: AttentionOperand, name: string, j: number): string {
  return x.access.element(`${name}_at_${j} + c * ${x.columnStride.wgsl}`);
}

function sum(tile: RowTile, term: (j: number) => string): string {
  return Array.from({ length: tile.rows }, (_, j) => term(j)).join(' + ');
}

function eachColumn(...statements: string[]): string {
  return `for (var c = 0u; c < columns; c++) {\n${statements.join('\n')}\n}`;
}

/** Walks over the other side's rows by tiles: `other_j` (clamped), `exists_j`, and where each row starts. */
function eachTile(
  count: Extent,
  tile: RowTile,
  operands: Record<string, AttentionOperand>,
  statements: readonly string[],
): string {
  const starts = Object.entries(operands).map(([name, x]) => {
    return unroll(tile.rows, (j) => `let ${name}_at_${j} = ${name}_base + other_${j} * ${x.rowStride.wgsl};`);
  });
  return `for (var first = 0u; first < ${count.wgsl}; first += ${tile.rows}u) {
${unroll(tile.rows, (j) => `let exists_${j} = first + ${j}u < ${count.wgsl};`)}
${unroll(tile.rows, (j) => `let other_${j} = min(first + ${j}u, ${count.wgsl} - 1u);`)}
${[...starts, ...statements].join('\n')}
}`;
}

function taken(spec: AttentionProblem, j: number): string {
  return spec.mask ? `exists_${j} && ${spec.mask({ batch: 'batch', key: `other_${j}` })}` : `exists_${j}`;
}
