// For `@paris/cpu`, where the lanes of a workgroup are one vector. Each invocation has a few rows of its own, copied into
// its own memory, where four lanes' elements lie side by side; sums are there, too. The other side's rows are read where
// they lie, one element for all lanes. So a step takes rows × others products for rows + others reads, as in
// matmul/packed-tile.ts, and no lane needs another one's numbers.
import type { GeneratedKernel } from '../../graph/kernel.js';
import { tiles } from '../loops.js';
import type { AttentionSpec } from './spec.js';
import { AttentionText, type Sides } from './text.js';

export interface LaneRows {
  /** Invocations per workgroup. */
  readonly lanes: number;
  /** Rows per invocation. */
  readonly rows: number;
  /** Rows of the other side that are taken at a time. */
  readonly others: number;
}

export class LaneRowsText extends AttentionText {
  constructor(
    spec: AttentionSpec,
    sides: Sides,
    private readonly tile: LaneRows,
  ) {
    super(spec, sides, tile.rows, tile.others);
  }

  kernel(statements: readonly string[]): GeneratedKernel {
    const { own, held } = this.sides;
    const { batch, heads, headDim } = this.spec;
    const { lanes, rows } = this.tile;
    const begin = `let batch = workgroup_id.z / ${heads.wgsl};
let head = workgroup_id.z % ${heads.wgsl};
let row_start = workgroup_id.x * ${lanes * rows}u + local_index;
let last_own = ${own.wgsl} - 1u;
${this.eachRow((i) => `let row_${i} = min(row_start + ${i * lanes}u, last_own);`)}`;
    const copies = held.map(
      (name) => `var ${name}_own: array<f32, ${rows * headDim}>;
${this.along((c) => this.eachRow((i) => `${this.kept(name, i, c)} = ${this.ownElement(name, i, c)};`))}`,
    );
    return {
      body: [begin, ...this.bases(), ...copies, ...statements].join('\n'),
      workgroupSize: [lanes, 1, 1],
      workgroups: [tiles(own, lanes * rows), 1, batch.value * heads.value],
    };
  }

  sums(name: string): string {
    return `var ${name}_own: array<f32, ${this.tile.rows * this.spec.headDim}>;`;
  }

  ofRows(name: string, type: 'f32' | 'bool', expression: string): string {
    return this.eachRow((i) => `var ${name}_${i}: ${type};\n{ let row = row_${i}; ${name}_${i} = ${expression}; }`);
  }

  products(name: string, held: string, once: string): string {
    const step = (i: number, c: string) => `${name}_${i} += ${this.kept(held, i, c)} * ${this.ownElement(once, i, c)};`;
    return `${this.eachRow((i) => `var ${name}_${i} = 0f;`)}\n${this.along((c) => this.eachRow((i) => step(i, c)))}`;
  }

  scores(name: string, held: string, walked: string): string {
    const both = (statement: (i: number, j: number) => string) =>
      this.eachRow((i) => this.eachOther((j) => statement(i, j)));
    return `${both((i, j) => `var ${name}_${i}_${j} = 0f;`)}
${this.along(
  (c) => `${this.eachRow((i) => `let x_${i} = ${this.kept(held, i, c)};`)}
${this.eachOther((j) => `let y_${j} = ${this.otherElement(walked, j, c)};`)}
${both((i, j) => `${name}_${i}_${j} += x_${i} * y_${j};`)}`,
)}`;
  }

  accumulate(name: string, weight: string, walked: string, decay?: string): string {
    const step = (i: number, c: string) => {
      const sum = this.kept(name, i, c);
      const added = this.sumOfOthers((j) => `${weight}_${i}_${j} * y_${j}`);
      return `${sum} = ${sum}${decay ? ` * ${decay}_${i}` : ''} + ${added};`;
    };
    return this.along(
      (c) => `${this.eachOther((j) => `let y_${j} = ${this.otherElement(walked, j, c)};`)}
${this.eachRow((i) => step(i, c))}`,
    );
  }

  scale(name: string, factor: string): string {
    return this.along((c) => this.eachRow((i) => `${this.kept(name, i, c)} *= ${factor}_${i};`));
  }

  store(name: string): string {
    const { headDim } = this.spec;
    const { lanes, rows } = this.tile;
    const at = { batch: 'batch', head: 'head', row: 'row', column: 'c' };
    // In a loop, so that the text has the epilogue once.
    return `for (var i = 0u; i < ${rows}u; i++) {
let row = row_start + i * ${lanes}u;
if (row <= last_own) {
${this.along((c) => this.spec.store(name, at, `${name}_own[i * ${headDim}u + ${c}]`))}
}
}`;
  }

  storeRows(name: string): string {
    const { lanes } = this.tile;
    const at = (i: number) => ({ batch: 'batch', head: 'head', row: `row_${i}` });
    return this.eachRow(
      (i) => `if (row_start + ${i * lanes}u <= last_own) {\n${this.spec.store(name, at(i), `${name}_${i}`)}\n}`,
    );
  }

  /** Statements for each column `c` of the head. */
  private along(statement: (column: string) => string): string {
    return `for (var c = 0u; c < ${this.spec.headDim}u; c++) {\n${statement('c')}\n}`;
  }

  /** An element of an own row in the invocation's memory. */
  private kept(name: string, i: number, column: string): string {
    return `${name}_own[${i * this.spec.headDim}u + ${column}]`;
  }

  private ownElement(name: string, i: number, column: string): string {
    return this.element(name, this.rowStart(name, `row_${i}`), column);
  }

  private otherElement(name: string, j: number, column: string): string {
    return this.element(name, `${name}_at_${j}`, column);
  }
}
