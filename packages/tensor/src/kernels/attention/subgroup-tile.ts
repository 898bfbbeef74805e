// For adapters on the CPU with subgroups (lavapipe), in which a read costs as much as ten products: see
// matmul/subgroup-tile.ts. A subgroup has a few rows of its own. Scores lie with the other side's rows along the lanes,
// sums with the head dimension along them; a broadcast or a shuffle hands one lane's element to all.
import type { GeneratedKernel } from '../../graph/kernel.js';
import { HIDDEN_ZERO, tiles, unroll } from '../loops.js';
import type { AttentionSpec } from './spec.js';
import { AttentionText, type Seen, type Sides } from './text.js';

export interface SubgroupTile {
  /** The subgroup's size, which is also the workgroup's. */
  readonly lanes: number;
  /** Rows per workgroup. */
  readonly rows: number;
  /** Rows of the other side that are taken at a time, by lane. */
  readonly others: number;
}

/** Besides `_i` and `_j`: a name with `_t` is of the lane's t-th column along the head dimension. */
export class SubgroupTileText extends AttentionText {
  private readonly vectors: number;

  constructor(
    spec: AttentionSpec,
    sides: Sides,
    private readonly tile: SubgroupTile,
  ) {
    super(spec, sides, tile.rows, tile.others);
    this.vectors = Math.ceil(spec.headDim / tile.lanes);
  }

  kernel(statements: readonly string[]): GeneratedKernel {
    const { heads, batch, headDim } = this.spec;
    const { own, other } = this.sides;
    const { lanes, rows } = this.tile;
    const strides = Object.entries(this.operands).map(
      ([name, x]) => `let ${name}_row = ${x.rowStride.wgsl};\nlet ${name}_column = ${x.columnStride.wgsl};`,
    );
    const begin = `let batch = workgroup_id.z;
let head = workgroup_id.y;
let row_start = workgroup_id.x * ${rows}u;
let rows = ${rows}u + ${HIDDEN_ZERO};
let vectors = ${this.vectors}u + ${HIDDEN_ZERO};
let columns = ${headDim}u + ${HIDDEN_ZERO};
let last_own = ${own.wgsl} - 1u;
let other_count = ${other.wgsl};
${this.eachVector((t) => `let column_${t} = min(local_index + ${t * lanes}u, ${headDim - 1}u);`)}`;
    return {
      enable: 'subgroups',
      body: [begin, ...this.bases(), ...strides, ...statements].join('\n'),
      workgroupSize: [lanes, 1, 1],
      workgroups: [tiles(own, rows), heads.value, batch.value],
    };
  }

  sums(name: string): string {
    return this.eachSum(name, (sum) => `var ${sum} = 0f;`);
  }

  ofRows(name: string, type: 'f32' | 'bool', expression: string): string {
    return this.loopRows(name, type, '', expression);
  }

  products(name: string, held: string, once: string): string {
    const element = (operand: string) => {
      const index = `${operand}_base + row * ${operand}_row + column * ${operand}_column`;
      return this.operands[operand]!.element(index);
    };
    const product = `var sum = 0f;
for (var column = local_index; column < columns; column += ${this.tile.lanes}u) {
sum += ${element(held)} * ${element(once)};
}
${this.reduce('sum', (x, y) => `${x} + ${y}`)}`;
    return this.loopRows(name, 'f32', product, 'sum');
  }

  override walk(statements: readonly string[], seen?: Seen): string {
    const { lanes, others } = this.tile;
    return `for (var first = 0u; first < other_count; first += ${lanes * others}u) {
let last_other = other_count - 1u;
let groups = min(${others}u, (last_other - first) / ${lanes}u + 1u);
${this.eachOther((j) => `let exists_${j} = first + ${j * lanes}u + local_index <= last_other;`)}
${this.eachOther((j) => `let other_${j} = min(first + ${j * lanes}u + local_index, last_other);`)}
${this.taken(seen)}
${statements.join('\n')}
}`;
  }

  scores(name: string, held: string, walked: string): string {
    const { lanes, rows } = this.tile;
    const [x, y] = [this.operands[held]!, this.operands[walked]!];
    const groups = Math.ceil(rows / lanes);
    return `${this.eachRow((i) => this.eachOther((j) => `var ${name}_${i}_${j} = 0f;`))}
{
${unroll(groups, (g) => `let own_${g} = ${held}_base + min(row_start + ${g * lanes}u + local_index, last_own) * ${held}_row;`)}
${this.eachOther((j) => `let other_base_${j} = ${walked}_base + other_${j} * ${walked}_row;`)}
for (var c = 0u; c < columns; c++) {
let own_column = c * ${held}_column;
let other_column = c * ${walked}_column;
${unroll(groups, (g) => `let x_${g} = ${x.element(`own_${g} + own_column`)};`)}
${this.eachOther((j) => `let y_${j} = ${y.element(`other_base_${j} + other_column`)};`)}
${this.eachRow(
  (i) => `{
let z = subgroupBroadcast(x_${Math.floor(i / lanes)}, ${i % lanes}u);
${this.eachOther((j) => `${name}_${i}_${j} += z * y_${j};`)}
}`,
)}
}
}`;
  }

  override reduce(variable: string, combine: (x: string, y: string) => string): string {
    const steps: string[] = [];
    for (let distance = 1; distance < this.tile.lanes; distance *= 2) {
      steps.push(`${variable} = ${combine(variable, `subgroupShuffleXor(${variable}, ${distance}u)`)};`);
    }
    return steps.join('\n');
  }

  accumulate(name: string, weight: string, walked: string, decay?: string): string {
    const { lanes, others } = this.tile;
    const { element } = this.operands[walked]!;
    const picked = (i: number) =>
      Array.from({ length: others - 1 }, (_, j) => j + 1).reduce(
        (text, j) => `select(${text}, ${weight}_${i}_${j}, group == ${j}u)`,
        `${weight}_${i}_0`,
      );
    return `${decay ? this.scale(name, decay) : ''}
for (var group = 0u; group < groups; group++) {
let start = first + group * ${lanes}u;
${this.eachRow((i) => `let x_${i} = ${picked(i)};`)}
let depth = min(${lanes}u, last_other - start + 1u);
for (var r = 0u; r < depth; r++) {
let y = ${walked}_base + (start + r) * ${walked}_row;
${this.eachVector((t) => `let y_${t} = ${element(`y + column_${t} * ${walked}_column`)};`)}
${this.eachRow(
  (i) => `{
let z = subgroupShuffle(x_${i}, r);
${this.eachVector((t) => `${name}_${i}_${t} += z * y_${t};`)}
}`,
)}
}
}`;
  }

  scale(name: string, factor: string): string {
    return this.eachSum(name, (sum, i) => `${sum} *= ${factor}_${i};`);
  }

  store(name: string): string {
    const { vectors } = this;
    const { lanes, rows } = this.tile;
    // From an array, so that the text has the epilogue once.
    return `{
var results: array<f32, ${rows * vectors}>;
${this.eachSum(name, (sum, i, t) => `results[${i * vectors + t}] = ${sum};`)}
for (var i = 0u; i < rows; i++) {
let row = row_start + i;
if (row > last_own) { break; }
for (var t = 0u; t < vectors; t++) {
let column = local_index + t * ${lanes}u;
if (column < columns) {
let value = results[i * ${vectors}u + t];
${this.spec.store(name, { batch: 'batch', head: 'head', row: 'row', column: 'column' }, 'value')}
}
}
}
}`;
  }

  storeRows(name: string): string {
    const { lanes, rows } = this.tile;
    return `{
var results: array<f32, ${rows}>;
${this.eachRow((i) => `results[${i}] = ${name}_${i};`)}
for (var i = local_index; i < rows; i += ${lanes}u) {
let row = row_start + i;
if (row <= last_own) {
let value = results[i];
${this.spec.store(name, { batch: 'batch', head: 'head', row: 'row' }, 'value')}
}
}
}`;
  }

  private eachVector(statement: (t: number) => string): string {
    return unroll(this.vectors, statement);
  }

  private eachSum(name: string, statement: (sum: string, i: number, t: number) => string): string {
    return this.eachRow((i) => this.eachVector((t) => statement(`${name}_${i}_${t}`, i, t)));
  }

  /** `NAME_i` from statements and an expression of each own row `row`, in a loop: every read is a good deal of a driver's text. */
  private loopRows(name: string, type: string, statements: string, expression: string): string {
    return `var ${name}_of: array<${type}, ${this.tile.rows}>;
for (var i = 0u; i < rows; i++) {
let row = min(row_start + i, last_own);
${statements}
${name}_of[i] = ${expression};
}
${this.eachRow((i) => `let ${name}_${i} = ${name}_of[${i}];`)}`;
  }
}
