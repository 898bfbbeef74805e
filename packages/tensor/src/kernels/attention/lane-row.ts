// Each invocation has a row of its own. On a GPU it keeps the row and its sums in registers, with everything along the head
// dimension unrolled, and a workgroup copies the other side's rows into its memory, a few at a time. On a CPU, where the
// lanes of a workgroup are one SIMD register, rows are read where they lie, and loops and sums in memory take a driver
// much less time to compile.
import type { GeneratedKernel } from '../../graph/kernel.js';
import { HIDDEN_ZERO, tiles, unroll } from '../loops.js';
import type { AttentionSpec } from './spec.js';
import { AttentionText, type Seen, type Sides } from './text.js';

export interface LaneRow {
  /** Rows per workgroup, one per invocation. */
  readonly lanes: number;
  /** Rows of the other side that are taken at a time; one where they are staged. */
  readonly others: number;
  /** The longest row that an invocation keeps in registers; longer ones are read again for every product. */
  readonly residentDims: number;
  /** The most columns that an invocation sums in registers, longer rows being shared by several workgroups; 0: all, in memory. */
  readonly outputDims: number;
  /** Rows of the other side that are copied into workgroup memory at a time; 0 reads them where they are. */
  readonly stagedRows: number;
}

const OWN = { batch: 'batch', head: 'head', row: 'row' };

export class LaneRowText extends AttentionText {
  private readonly chunks: number;
  /** Columns that an invocation sums. */
  private readonly width: number;
  private readonly resident: boolean;
  private readonly inRegisters: boolean;

  constructor(
    spec: AttentionSpec,
    sides: Sides,
    private readonly tile: LaneRow,
  ) {
    super(spec, sides, 1, tile.stagedRows > 0 ? 1 : tile.others);
    const { headDim } = spec;
    this.inRegisters = tile.outputDims > 0;
    this.chunks = this.inRegisters ? Math.ceil(headDim / tile.outputDims) : 1;
    this.width = Math.ceil(headDim / this.chunks);
    this.resident = headDim <= tile.residentDims;
  }

  kernel(statements: readonly string[]): GeneratedKernel {
    const { own, held, once = [], walked } = this.sides;
    const { batch, heads, headDim } = this.spec;
    const { lanes, stagedRows } = this.tile;
    const begin = `let batch = workgroup_id.z / ${heads.wgsl};
let head = workgroup_id.z % ${heads.wgsl};
let own_row = workgroup_id.x * ${lanes}u + local_index;
let owns = own_row < ${own.wgsl};
let row = min(own_row, ${own.wgsl} - 1u);
let column_0 = workgroup_id.y * ${this.width}u;
let columns = ${headDim}u${this.inRegisters ? '' : ` + ${HIDDEN_ZERO}`};`;
    const starts = [...held, ...once].map((name) => `let ${name}_own = ${this.rowStart(name, 'row')};`);
    const registers = (this.resident ? held : []).map((name) =>
      unroll(headDim, (c) => `let ${name}_${c} = ${this.ownElement(name, `${c}u`)};`),
    );
    const staged = walked.map((name) => `var<workgroup> ${name}_rows: array<f32, ${stagedRows * headDim}>;`);
    return {
      declarations: stagedRows > 0 ? staged.join('\n') : '',
      body: [begin, ...this.bases(), ...starts, ...registers, ...statements].join('\n'),
      workgroupSize: [lanes, 1, 1],
      workgroups: [tiles(own, lanes), this.chunks, batch.value * heads.value],
    };
  }

  sums(name: string): string {
    if (this.inRegisters) return unroll(this.width, (c) => `var ${name}_${c} = 0f;`);
    return `var ${name}: array<f32, ${this.width}>;`;
  }

  ofRows(name: string, _: string, expression: string): string {
    return `let ${name}_0 = ${expression};`;
  }

  products(name: string, held: string, once: string): string {
    return `var ${name}_0 = 0f;\n${this.along(held, (x, c) => `${name}_0 += ${x} * ${this.ownElement(once, c)};`)}`;
  }

  override walk(statements: readonly string[], seen?: Seen): string {
    const { walked, other } = this.sides;
    const { others, lanes, stagedRows } = this.tile;
    const { headDim } = this.spec;
    if (stagedRows === 0) {
      if (others > 1) return super.walk(statements, seen);
      return `for (var first = 0u; first < ${other.wgsl}; first += 1u) {
${this.one('first', [...this.starts(), ...statements], seen)}
}`;
    }
    const copies = walked.map((name) => {
      const start = this.rowStart(name, `(first + at / ${headDim}u)`);
      return `${name}_rows[at] = ${this.element(name, start, `(at % ${headDim}u)`)};`;
    });
    return `for (var first = 0u; first < ${other.wgsl}; first += ${stagedRows}u) {
let staged = min(${stagedRows}u, ${other.wgsl} - first);
workgroupBarrier();
for (var at = local_index; at < staged * ${headDim}u; at += ${lanes}u) {
${copies.join('\n')}
}
workgroupBarrier();
for (var slot = 0u; slot < staged; slot++) {
${this.one('first + slot', statements, seen)}
}
}`;
  }

  /** One step of the loop, for one row; all invocations skip it if the row is masked. */
  private one(other: string, statements: readonly string[], seen: Seen | undefined): string {
    return `let exists_0 = true;
let other_0 = ${other};
${seen ? `if (${seen('other_0')}) ` : ''}{
let taken_0 = true;
${statements.join('\n')}
}`;
  }

  scores(name: string, held: string, walked: string): string {
    const product = (x: string, c: string) =>
      this.eachOther((j) => `${name}_0_${j} += ${x} * ${this.otherElement(walked, j, c)};`);
    return `${this.eachOther((j) => `var ${name}_0_${j} = 0f;`)}\n${this.along(held, product)}`;
  }

  accumulate(name: string, weight: string, walked: string, decay?: string): string {
    return this.eachSum(name, (sum, column) => {
      const added = this.sumOfOthers((j) => `${weight}_0_${j} * ${this.otherElement(walked, j, column)}`);
      return `${sum} = ${sum}${decay ? ` * ${decay}_0` : ''} + ${added};`;
    });
  }

  scale(name: string, factor: string): string {
    return this.eachSum(name, (sum) => `${sum} *= ${factor}_0;`);
  }

  store(name: string): string {
    const { headDim } = this.spec;
    // From an array, so that the text has the epilogue once.
    const results = this.inRegisters ? `${name}_row` : name;
    const gathered = `var ${results}: array<f32, ${this.width}>;
${unroll(this.width, (c) => `${results}[${c}] = ${name}_${c};`)}`;
    return `if (owns) {
${this.inRegisters ? gathered : ''}
for (var i = 0u; i < ${this.inRegisters ? `${this.width}u` : 'columns'}; i++) {
let column = column_0 + i;
${this.chunks > 1 && headDim % this.width !== 0 ? `if (column >= ${headDim}u) { break; }` : ''}
${this.spec.store(name, { ...OWN, column: 'column' }, `${results}[i]`)}
}
}`;
  }

  storeRows(name: string): string {
    const once = this.chunks > 1 ? ' && workgroup_id.y == 0u' : '';
    return `if (owns${once}) {\n${this.spec.store(name, OWN, `${name}_0`)}\n}`;
  }

  /** Statements along the own row of an operand: with its element, and the column. */
  private along(held: string, statement: (x: string, column: string) => string): string {
    if (this.resident) return unroll(this.spec.headDim, (c) => statement(`${held}_${c}`, `${c}u`));
    return `for (var c = 0u; c < columns; c++) {
let x = ${this.ownElement(held, 'c')};
${statement('x', 'c')}
}`;
  }

  /** Statements for each column that this invocation sums; the last chunk may repeat the last column. */
  private eachSum(name: string, statement: (sum: string, column: string) => string): string {
    const { headDim } = this.spec;
    if (!this.inRegisters) return `for (var c = 0u; c < columns; c++) {\n${statement(`${name}[c]`, 'c')}\n}`;
    return unroll(this.width, (c) => {
      if (this.chunks === 1) return statement(`${name}_${c}`, `${c}u`);
      const column = `column_0 + ${c}u`;
      return statement(`${name}_${c}`, headDim % this.width === 0 ? `(${column})` : `min(${column}, ${headDim - 1}u)`);
    });
  }

  private ownElement(name: string, column: string): string {
    return this.element(name, `${name}_own`, column);
  }

  private otherElement(name: string, j: number, column: string): string {
    if (this.tile.stagedRows > 0) return `${name}_rows[slot * ${this.spec.headDim}u + ${column}]`;
    return this.element(name, `${name}_at_${j}`, column);
  }
}
