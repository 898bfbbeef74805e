// The twin for adapters on the CPU with subgroups (lavapipe), in which a read costs as much as ten products: see
// matmul/subgroup-tile.ts. A subgroup has a few rows of its own. Scores lie with the other side's rows along the lanes,
// what is accumulated with the head dimension along them; a shuffle hands one lane's element to all.
import { type Extent, type GeneratedKernel, HIDDEN_ZERO, tiles, unroll } from '../contract.js';
import {
  type AttentionForwardSpec,
  type AttentionKeySpec,
  type AttentionOperand,
  type AttentionProblem,
  type AttentionQuerySpec,
  LOWEST,
} from './spec.js';

export interface SubgroupTile {
  /** The subgroup's size, which is also the workgroup's. */
  readonly lanes: number;
  /** Rows a workgroup. */
  readonly rows: number;
  /** Rows of the other side that are taken at a time, by lane. */
  readonly others: number;
}

/** Forward; see {@link AttentionForwardSpec}. */
export function subgroupTileForward(spec: AttentionForwardSpec, tile: SubgroupTile): GeneratedKernel {
  const text = new SubgroupTileText(spec, tile, spec.queries, spec.keys);
  const { q, k, v } = spec;
  const { eachRow, eachOther } = text;
  return text.kernel('forward', { q, k, v }, [
    text.sums('out'),
    eachRow((i) => `var maximum_${i} = ${LOWEST}; var total_${i} = 0f;`),
    text.walk([
      text.scores('score', 'q', q, 'k', k),
      eachOther((j) => `let taken_${j} = exists_${j}${masked(spec, `other_${j}`)};`),
      eachRow(
        (i) => `{
${eachOther((j) => `score_${i}_${j} = select(${LOWEST}, score_${i}_${j} * ${spec.scale}, taken_${j});`)}
var highest = maximum_${i};
${eachOther((j) => `highest = max(highest, score_${i}_${j});`)}
${text.reduce('highest', (x, y) => `max(${x}, ${y})`)}
let decay = exp(maximum_${i} - highest);
maximum_${i} = highest;
${eachOther((j) => `score_${i}_${j} = select(0f, exp(score_${i}_${j} - highest), taken_${j});`)}
total_${i} = total_${i} * decay + ${text.sumOfOthers((j) => `score_${i}_${j}`)};
${text.eachVector((t) => `out_${i}_${t} *= decay;`)}
}`,
      ),
      text.accumulate('out', 'score', 'v', v),
    ]),
    `var log_sums: array<f32, ${tile.rows}>;`,
    // Without any key the sum is empty: zeros, and a logarithm so large that the backward's probabilities are all zero.
    eachRow(
      (i) => `{
${text.reduce(`total_${i}`, (x, y) => `${x} + ${y}`)}
let empty = total_${i} == 0f;
let normalize = select(1f / total_${i}, 0f, empty);
${text.eachVector((t) => `out_${i}_${t} *= normalize;`)}
log_sums[${i}] = select(maximum_${i} + log(total_${i}), -(${LOWEST}), empty);
}`,
    ),
    text.store('out', (at, value) => spec.store(at, value)),
    text.storeRows('log_sums', (at, value) => spec.storeLogSumExp(at, value)),
  ]);
}

/** Gradient of q; see {@link AttentionQuerySpec}. */
export function subgroupTileBackwardQuery(spec: AttentionQuerySpec, tile: SubgroupTile): GeneratedKernel {
  const text = new SubgroupTileText(spec, tile, spec.queries, spec.keys);
  const { q, k, v, out, cotangent, scale } = spec;
  const { eachRow, eachOther } = text;
  return text.kernel('backward_query', { q, k, v, out, cotangent }, [
    text.sums('dq'),
    `var deltas: array<f32, ${tile.rows}>; var log_sums: array<f32, ${tile.rows}>;`,
    text.loopRows(`var delta = 0f;
for (var column = local_index; column < columns; column += ${tile.lanes}u) {
delta += ${text.element('cotangent', cotangent)} * ${text.element('out', out)};
}
${text.reduce('delta', (x, y) => `${x} + ${y}`)}
deltas[i] = delta;
log_sums[i] = ${spec.logSumExp({ batch: 'batch', head: 'head', row: 'row' })};`),
    eachRow((i) => `let delta_${i} = deltas[${i}]; let log_sum_${i} = log_sums[${i}];`),
    text.walk([
      text.scores('score', 'q', q, 'k', k),
      text.scores('d_score', 'cotangent', cotangent, 'v', v),
      eachOther((j) => `let taken_${j} = exists_${j}${masked(spec, `other_${j}`)};`),
      eachRow((i) =>
        eachOther(
          (j) => `{
let weight = select(0f, exp(score_${i}_${j} * ${scale} - log_sum_${i}), taken_${j});
d_score_${i}_${j} = weight * (d_score_${i}_${j} - delta_${i}) * ${scale};
}`,
        ),
      ),
      text.accumulate('dq', 'd_score', 'k', k),
    ]),
    text.store('dq', (at, value) => spec.store(at, value)),
    text.storeRows('deltas', (at, value) => spec.storeDelta(at, value)),
  ]);
}

/** Gradients of k and v; see {@link AttentionKeySpec}. */
export function subgroupTileBackwardKey(spec: AttentionKeySpec, tile: SubgroupTile): GeneratedKernel {
  const text = new SubgroupTileText(spec, tile, spec.keys, spec.queries);
  const { q, k, v, cotangent, scale } = spec;
  const { eachRow, eachOther } = text;
  const query = (j: number) => ({ batch: 'batch', head: 'head', row: `other_${j}` });
  return text.kernel('backward_key', { q, k, v, cotangent }, [
    text.sums('dk'),
    text.sums('dv'),
    `var taken: array<bool, ${tile.rows}>;`,
    text.loopRows(`taken[i] = true${masked(spec, 'row')};`),
    eachRow((i) => `let taken_${i} = taken[${i}];`),
    text.walk([
      text.scores('score', 'k', k, 'q', q),
      text.scores('d_score', 'v', v, 'cotangent', cotangent),
      eachOther((j) => `let log_sum_${j} = ${spec.logSumExp(query(j))}; let delta_${j} = ${spec.delta(query(j))};`),
      eachRow((i) =>
        eachOther(
          (j) => `{
let weight = select(0f, exp(score_${i}_${j} * ${scale} - log_sum_${j}), taken_${i} && exists_${j});
score_${i}_${j} = weight;
d_score_${i}_${j} = weight * (d_score_${i}_${j} - delta_${j}) * ${scale};
}`,
        ),
      ),
      text.accumulate('dk', 'd_score', 'q', q),
      text.accumulate('dv', 'score', 'cotangent', cotangent),
    ]),
    text.store('dk', (at, value) => spec.storeKey(at, value)),
    text.store('dv', (at, value) => spec.storeValue(at, value)),
  ]);
}

function masked(spec: AttentionProblem, key: string): string {
  return spec.mask ? ` && ${spec.mask({ batch: 'batch', key })}` : '';
}

type Store = AttentionForwardSpec['store'];
type StoreRow = AttentionForwardSpec['storeLogSumExp'];

/**
 * The parts of the three kernels. A name with `_i` is of own row i, with `_j` of the lane's j-th row of the other side,
 * with `_t` of the lane's t-th column along the head dimension. What lies beyond an edge is clamped, and weighs nothing.
 */
class SubgroupTileText {
  private readonly vectors: number;

  constructor(
    private readonly spec: AttentionProblem,
    private readonly tile: SubgroupTile,
    private readonly ownCount: Extent,
    private readonly otherCount: Extent,
  ) {
    this.vectors = Math.ceil(spec.headDim / tile.lanes);
  }

  readonly eachRow = (statement: (i: number) => string): string => unroll(this.tile.rows, statement);
  readonly eachOther = (statement: (j: number) => string): string => unroll(this.tile.others, statement);
  readonly eachVector = (statement: (t: number) => string): string => unroll(this.vectors, statement);

  sumOfOthers(term: (j: number) => string): string {
    return Array.from({ length: this.tile.others }, (_, j) => term(j)).join(' + ');
  }

  kernel(name: string, operands: Record<string, AttentionOperand>, statements: readonly string[]): GeneratedKernel {
    const { spec, tile, ownCount, otherCount } = this;
    const bases = Object.entries(operands).map(([name, x]) => {
      return `let ${name}_base = ${x.offset.wgsl} + batch * ${x.batchStride.wgsl} + head * ${x.headStride.wgsl};
let ${name}_row = ${x.rowStride.wgsl};
let ${name}_column = ${x.columnStride.wgsl};`;
    });
    const begin = `let batch = workgroup_id.z;
let head = workgroup_id.y;
let row_start = workgroup_id.x * ${tile.rows}u;
let rows = ${tile.rows}u + ${HIDDEN_ZERO};
let vectors = ${this.vectors}u + ${HIDDEN_ZERO};
let columns = ${spec.headDim}u + ${HIDDEN_ZERO};
let last_own = ${ownCount.wgsl} - 1u;
let other_count = ${otherCount.wgsl};
${this.eachVector((t) => `let column_${t} = min(local_index + ${t * tile.lanes}u, ${spec.headDim - 1}u);`)}`;
    return {
      name: `attention_${name}_subgroup_tile_${tile.rows}x${tile.others}`,
      enable: 'subgroups',
      declarations: '',
      body: [begin, ...bases, ...statements].join('\n'),
      workgroupSize: [tile.lanes, 1, 1],
      workgroups: [tiles(ownCount, tile.rows), spec.heads.value, spec.batch.value],
    };
  }

  /** `NAME_i_t`, zero. */
  sums(name: string): string {
    return this.eachRow((i) => this.eachVector((t) => `var ${name}_${i}_${t} = 0f;`));
  }

  /** Statements for each own row `row`, number `i`, in a loop: every read is a good deal of a driver's text. */
  loopRows(statements: string): string {
    return `for (var i = 0u; i < rows; i++) {
let row = min(row_start + i, last_own);
${statements}
}`;
  }

  /** An element of the row `row`, at `column`. */
  element(name: string, x: AttentionOperand): string {
    return x.access.element(`${name}_base + row * ${name}_row + column * ${name}_column`);
  }

  /** Combines a variable over the lanes, in an order that is always the same. */
  reduce(variable: string, combine: (x: string, y: string) => string): string {
    const steps: string[] = [];
    for (let distance = 1; distance < this.tile.lanes; distance *= 2) {
      steps.push(`${variable} = ${combine(variable, `subgroupShuffleXor(${variable}, ${distance}u)`)};`);
    }
    return steps.join('\n');
  }

  /** Walks over the other side's rows: `other_j`, `exists_j`. */
  walk(statements: readonly string[]): string {
    const { lanes, others } = this.tile;
    return `for (var first = 0u; first < other_count; first += ${lanes * others}u) {
let last_other = other_count - 1u;
let groups = min(${others}u, (last_other - first) / ${lanes}u + 1u);
${this.eachOther((j) => `let exists_${j} = first + ${j * lanes}u + local_index <= last_other;`)}
${this.eachOther((j) => `let other_${j} = min(first + ${j * lanes}u + local_index, last_other);`)}
${statements.join('\n')}
}`;
  }

  /** `NAME_i_j`: own row i times the lane's row j of the other side. */
  scores(name: string, ownName: string, x: AttentionOperand, otherName: string, y: AttentionOperand): string {
    const { lanes, rows } = this.tile;
    const groups = Math.ceil(rows / lanes);
    return `${this.eachRow((i) => this.eachOther((j) => `var ${name}_${i}_${j} = 0f;`))}
{
${unroll(groups, (g) => `let own_${g} = ${ownName}_base + min(row_start + ${g * lanes}u + local_index, last_own) * ${ownName}_row;`)}
${this.eachOther((j) => `let other_base_${j} = ${otherName}_base + other_${j} * ${otherName}_row;`)}
for (var c = 0u; c < columns; c++) {
let own_column = c * ${ownName}_column;
let other_column = c * ${otherName}_column;
${unroll(groups, (g) => `let x_${g} = ${x.access.element(`own_${g} + own_column`)};`)}
${this.eachOther((j) => `let y_${j} = ${y.access.element(`other_base_${j} + other_column`)};`)}
${this.eachRow(
  (i) => `{
let z = subgroupBroadcast(x_${Math.floor(i / lanes)}, ${i % lanes}u);
${this.eachOther((j) => `${name}_${i}_${j} += z * y_${j};`)}
}`,
)}
}
}`;
  }

  /** Adds the other side's rows to the sums `NAME_i_t`, each times its weight `WEIGHT_i_j`. */
  accumulate(name: string, weight: string, otherName: string, y: AttentionOperand): string {
    const { lanes, others } = this.tile;
    const picked = (i: number) =>
      Array.from({ length: others - 1 }, (_, j) => j + 1).reduce(
        (text, j) => `select(${text}, ${weight}_${i}_${j}, group == ${j}u)`,
        `${weight}_${i}_0`,
      );
    return `for (var group = 0u; group < groups; group++) {
let start = first + group * ${lanes}u;
${this.eachRow((i) => `let x_${i} = ${picked(i)};`)}
let depth = min(${lanes}u, last_other - start + 1u);
for (var r = 0u; r < depth; r++) {
let y = ${otherName}_base + (start + r) * ${otherName}_row;
${this.eachVector((t) => `let y_${t} = ${y.access.element(`y + column_${t} * ${otherName}_column`)};`)}
${this.eachRow(
  (i) => `{
let z = subgroupShuffle(x_${i}, r);
${this.eachVector((t) => `${name}_${i}_${t} += z * y_${t};`)}
}`,
)}
}
}`;
  }

  /** Stores the sums `NAME_i_t`: from an array, so that the text has the epilogue once. */
  store(name: string, store: Store): string {
    const { vectors } = this;
    const { lanes, rows } = this.tile;
    return `{
var results: array<f32, ${rows * vectors}>;
${this.eachRow((i) => this.eachVector((t) => `results[${i * vectors + t}] = ${name}_${i}_${t};`))}
for (var i = 0u; i < rows; i++) {
let row = row_start + i;
if (row > last_own) { break; }
for (var t = 0u; t < vectors; t++) {
let column = local_index + t * ${lanes}u;
if (column < columns) {
let value = results[i * ${vectors}u + t];
${store({ batch: 'batch', head: 'head', row: 'row', column: 'column' }, 'value')}
}
}
}
}`;
  }

  /** Stores an array with an element for each own row. */
  storeRows(name: string, store: StoreRow): string {
    return `for (var i = local_index; i < rows; i += ${this.tile.lanes}u) {
let row = row_start + i;
if (row <= last_own) {
let value = ${name}[i];
${store({ batch: 'batch', head: 'head', row: 'row' }, 'value')}
}
}`;
  }
}
