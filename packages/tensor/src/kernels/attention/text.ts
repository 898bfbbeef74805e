// The words in which the three kernels of attention (kernels.ts) are written, whatever the layout: which invocation has
// which rows, and where rows and sums are kept. Each invocation owns some rows of one operand (queries or keys) and loops
// over all rows of the other. Why text and no typed functions: ../loops.ts.
import type { Extent, GeneratedKernel } from '../../graph/kernel.js';
import { unroll } from '../loops.js';
import type { AttentionOperand, AttentionSpec } from './spec.js';

export interface Sides {
  /** How many rows there are. */
  readonly own: Extent;
  readonly other: Extent;
  /** Operands: those of the own side used in each step of the loop, those used before it, and those of the other side. */
  readonly held: readonly string[];
  readonly once?: readonly string[];
  readonly walked: readonly string[];
}

/** An expression of whether a row of the other side, given by its number, takes part. */
export type Seen = (other: string) => string;

/**
 * WGSL in pieces. A name with `_i` is of the invocation's own row i, with `_j` of its j-th row of the other side at one
 * step. Indices beyond an edge are clamped; `exists_j` is false there, and such rows must have no weight.
 */
export abstract class AttentionText {
  protected readonly operands: Readonly<Record<string, AttentionOperand>>;

  constructor(
    protected readonly spec: AttentionSpec,
    protected readonly sides: Sides,
    private readonly rows: number,
    private readonly others: number,
  ) {
    const { held, once = [], walked } = sides;
    this.operands = Object.fromEntries([...held, ...once, ...walked].map((name) => [name, spec.operand(name)]));
  }

  readonly eachRow = (statement: (i: number) => string): string => unroll(this.rows, statement);
  readonly eachOther = (statement: (j: number) => string): string => unroll(this.others, statement);

  sumOfOthers(term: (j: number) => string): string {
    return Array.from({ length: this.others }, (_, j) => term(j)).join(' + ');
  }

  /** Puts statements together. `batch` and `head` are declared. */
  abstract kernel(statements: readonly string[]): GeneratedKernel;

  /** Begins sums along the head dimension for each own row, of zero. */
  abstract sums(name: string): string;

  /** `NAME_i`, an expression of the own row `row`. */
  abstract ofRows(name: string, type: 'f32' | 'bool', expression: string): string;

  /** `NAME_i`, the product of two operands' own rows. */
  abstract products(name: string, held: string, once: string): string;

  /**
   * Loops over the other side: `other_j`, `exists_j`, and `taken_j`, whether the row exists and `seen` holds for it. Here all
   * invocations take the same rows, where they lie: `OPERAND_at_j` is where one begins.
   */
  walk(statements: readonly string[], seen?: Seen): string {
    const count = this.sides.other.wgsl;
    return `for (var first = 0u; first < ${count}; first += ${this.others}u) {
${this.eachOther((j) => `let exists_${j} = first + ${j}u < ${count};`)}
${this.eachOther((j) => `let other_${j} = min(first + ${j}u, ${count} - 1u);`)}
${[...this.starts(), this.taken(seen), ...statements].join('\n')}
}`;
  }

  /** `NAME_i_j`, variables: own rows times rows of the other side. */
  abstract scores(name: string, held: string, walked: string): string;

  /**
   * Combines `variable`, which each invocation has for its own `j`s, over all of them, always in the same order. Nothing, where
   * every invocation loops over all of the other side.
   */
  reduce(_variable: string, _combine: (x: string, y: string) => string): string {
    return '';
  }

  /** Adds the other side's rows to sums, each times `WEIGHT_i_j`; what was there is multiplied by `DECAY_i` first. */
  abstract accumulate(name: string, weight: string, walked: string, decay?: string): string;

  /** Multiplies sums by `FACTOR_i`. */
  abstract scale(name: string, factor: string): string;

  /** Stores sums. */
  abstract store(name: string): string;

  /** Stores `NAME_i`. */
  abstract storeRows(name: string): string;

  protected starts(): string[] {
    return this.sides.walked.map((name) =>
      this.eachOther((j) => `let ${name}_at_${j} = ${this.rowStart(name, `other_${j}`)};`),
    );
  }

  protected taken(seen?: Seen): string {
    return this.eachOther((j) => `let taken_${j} = exists_${j}${seen ? ` && ${seen(`other_${j}`)}` : ''};`);
  }

  /** Where a row of an operand begins. */
  protected rowStart(name: string, row: string): string {
    return `${name}_base + ${row} * ${this.operands[name]!.rowStride.wgsl}`;
  }

  /** An element of an operand's row, from where that begins. */
  protected element(name: string, start: string, column: string): string {
    const { element, columnStride } = this.operands[name]!;
    return element(`${start} + ${column} * ${columnStride.wgsl}`);
  }

  /** Where the operands' matrices begin. */
  protected bases(): string[] {
    return Object.entries(this.operands).map(([name, x]) => {
      return `let ${name}_base = ${x.offset.wgsl} + batch * ${x.batchStride.wgsl} + head * ${x.headStride.wgsl};`;
    });
  }
}
