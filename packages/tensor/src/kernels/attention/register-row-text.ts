import { type Extent, tiles, unroll } from '../contract.js';
import type { AttentionElement, AttentionOperand, AttentionProblem } from './spec.js';

export interface RegisterRow {
  /** Rows a workgroup: each invocation has one row of its own. */
  readonly lanes: number;
  /** The longest row that an invocation keeps in registers; longer ones are read again for every dot product. */
  readonly residentDims: number;
  /** The most columns of an output that an invocation accumulates; longer rows are shared by several workgroups. */
  readonly outputDims: number;
  /** Rows of the other side that are copied into workgroup memory at a time; 0 reads them where they are. */
  readonly stagedRows: number;
}

/** The pieces that the three kernels are made of, for one problem and tile. */
export class RegisterRowText {
  readonly columns: number;
  readonly chunks: number;
  private readonly resident: boolean;

  constructor(
    readonly problem: AttentionProblem,
    readonly tile: RegisterRow,
  ) {
    const { headDim } = problem;
    this.chunks = Math.ceil(problem.headDim / tile.outputDims);
    this.columns = Math.ceil(headDim / this.chunks);
    this.resident = problem.headDim <= tile.residentDims;
  }

  workgroups(own: Extent): [number, number, number] {
    const { batch, heads } = this.problem;
    return [tiles(own, this.tile.lanes), this.chunks, batch.value * heads.value];
  }

  /** Declares `batch`, `head`, the invocation's own row (`row`, clamped; `owns` says whether it is real), `column_0`. */
  declare(own: Extent, operands: Record<string, AttentionOperand>): string {
    const bases = Object.entries(operands).map(([name, x]) => {
      return `let ${name}_base = ${x.offset.wgsl} + batch * ${x.batchStride.wgsl} + head * ${x.headStride.wgsl};`;
    });
    return `let batch = workgroup_id.z / ${this.problem.heads.wgsl};
let head = workgroup_id.z % ${this.problem.heads.wgsl};
let own_row = workgroup_id.x * ${this.tile.lanes}u + local_index;
let owns = own_row < ${own.wgsl};
let row = min(own_row, ${own.wgsl} - 1u);
let column_0 = workgroup_id.y * ${this.columns}u;
${bases.join('\n')}`;
  }

  /** Puts the own row of an operand into registers, if rows are short enough. */
  hold(name: string, x: AttentionOperand): string {
    const start = `let ${name}_own = ${name}_base + row * ${x.rowStride.wgsl};`;
    if (!this.resident) return start;
    return `${start}\n${unroll(this.problem.headDim, (c) => `let ${name}_${c} = ${this.ownElement(name, x, `${c}u`)};`)}`;
  }

  /** Adds to `sum` the dot product of the own row of `name` with a row of the other side. */
  dot(sum: string, name: string, x: AttentionOperand, other: (column: string) => string): string {
    const { headDim } = this.problem;
    if (this.resident) return unroll(headDim, (c) => `${sum} += ${name}_${c} * ${other(`${c}u`)};`);
    return `for (var c = 0u; c < ${headDim}u; c++) { ${sum} += ${this.ownElement(name, x, 'c')} * ${other('c')}; }`;
  }

  /** An element of the own row of an operand, from memory. */
  ownElement(name: string, x: AttentionOperand, column: string): string {
    return x.access.element(`${name}_own + ${column} * ${x.columnStride.wgsl}`);
  }

  /** One statement for each column that this invocation accumulates; the last chunk may repeat the last column. */
  eachColumn(statement: (register: number, column: string) => string): string {
    const { headDim } = this.problem;
    return unroll(this.columns, (i) => {
      if (this.chunks === 1) return statement(i, `${i}u`);
      const column = `column_0 + ${i}u`;
      return statement(i, headDim % this.columns === 0 ? `(${column})` : `min(${column}, ${headDim - 1}u)`);
    });
  }

  /** Stores the accumulators `${name}0…` through one copy of the epilogue, which may be long. */
  storeColumns(name: string, store: (at: AttentionElement, value: string) => string): string {
    const guard = this.chunks > 1 && this.problem.headDim % this.columns !== 0;
    return `var ${name}_row: array<f32, ${this.columns}>;
${unroll(this.columns, (i) => `${name}_row[${i}] = ${name}${i};`)}
for (var i = 0u; i < ${this.columns}u; i++) {
  let column = column_0 + i;
  ${guard ? `if (column >= ${this.problem.headDim}u) { break; }` : ''}
  ${store({ batch: 'batch', head: 'head', row: 'row', column: 'column' }, `${name}_row[i]`)}
}`;
  }

  /** Module-scope memory that {@link eachRow} stages rows in. */
  declarations(names: readonly string[]): string {
    const { stagedRows } = this.tile;
    if (stagedRows === 0) return '';
    const size = stagedRows * this.problem.headDim;
    return names.map((name) => `var<workgroup> ${name}_rows: array<f32, ${size}>;`).join('\n');
  }

  /** Runs `body` for every row `other` of the other side; `read` gives an element of that row of an operand. */
  eachRow(
    count: Extent,
    operands: Record<string, AttentionOperand>,
    body: (read: (name: string, column: string) => string) => string,
  ): string {
    const { lanes, stagedRows } = this.tile;
    const { headDim } = this.problem;
    const names = Object.entries(operands);
    if (stagedRows === 0) {
      const read = (name: string, column: string) =>
        operands[name]!.access.element(`${name}_at + ${column} * ${operands[name]!.columnStride.wgsl}`);
      return `for (var other = 0u; other < ${count.wgsl}; other++) {
${names.map(([name, x]) => `let ${name}_at = ${name}_base + other * ${x.rowStride.wgsl};`).join('\n')}
${body(read)}
}`;
    }
    const copy = ([name, x]: [string, AttentionOperand]) => {
      const index = `${name}_base + (first + at / ${headDim}u) * ${x.rowStride.wgsl} + (at % ${headDim}u) * ${x.columnStride.wgsl}`;
      return `${name}_rows[at] = ${x.access.element(index)};`;
    };
    return `for (var first = 0u; first < ${count.wgsl}; first += ${stagedRows}u) {
  let staged = min(${stagedRows}u, ${count.wgsl} - first);
  workgroupBarrier();
  for (var at = local_index; at < staged * ${headDim}u; at += ${lanes}u) {
    ${names.map(copy).join('\n    ')}
  }
  workgroupBarrier();
  for (var slot = 0u; slot < staged; slot++) {
    let other = first + slot;
${body((name, column) => `${name}_rows[slot * ${headDim}u + ${column}]`)}
  }
}`;
  }
}
