// The words in which the three kernels of attention (kernels.ts) are written, whatever the layout: which invocation has
// which rows, and where rows and sums are kept. The side whose results a kernel makes is its own, the other one is walked over.
import type { Extent, GeneratedKernel } from '../../graph/kernel.js';
import { unroll } from '../loops.js';
import type { AttentionOperand, AttentionSpec } from './spec.js';

export interface Sides {
  /** How many rows there are. */
  readonly own: Extent;
  readonly other: Extent;
  /** Operands: of the own side with each step of the walk, of it before the walk, and of the other side. */
  readonly held: readonly string[];
  readonly once?: readonly string[];
  readonly walked: readonly string[];
}

/** An expression of whether a row of the other side, given by its number, takes part. */
export type Seen = (other: string) => string;

/**
 * WGSL in pieces. A name with `_i` is of the invocation's own row i, with `_j` of its j-th row of the other side at one
 * step. What lies beyond an edge is clamped; `exists_j` says so, and it must weigh nothing.
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
  abstract kernel(name: string, statements: readonly string[]): GeneratedKernel;

  /** Begins sums along the head dimension for each own row, of zero. */
  abstract sums(name: string): string;

  /** `NAME_i`, an expression of the own row `row`. */
  abstract ofRows(name: string, type: 'f32' | 'bool', expression: string): string;

  /** `NAME_i`, the product of two operands' own rows. */
  abstract products(name: string, held: string, once: string): string;

  /**
   * Walks over the other side: `other_j`, `exists_j`, and `taken_j`, whether it exists and `seen` says so of it.
   */
  abstract walk(statements: readonly string[], seen?: Seen): string;

  /** `NAME_i_j`, variables: own rows times rows of the other side. */
  abstract scores(name: string, held: string, walked: string): string;

  /** Makes `variable`, of which each invocation has seen its own `j`s, that of them all; in an order that is always the same. */
  abstract reduce(variable: string, combine: (x: string, y: string) => string): string;

  /** Adds the other side's rows to sums, each times `WEIGHT_i_j`; what was there is multiplied by `DECAY_i` first. */
  abstract accumulate(name: string, weight: string, walked: string, decay?: string): string;

  /** Multiplies sums by `FACTOR_i`. */
  abstract scale(name: string, factor: string): string;

  /** Stores sums. */
  abstract store(name: string): string;

  /** Stores `NAME_i`. */
  abstract storeRows(name: string): string;

  protected taken(seen?: Seen): string {
    return this.eachOther((j) => `let taken_${j} = exists_${j}${seen ? ` && ${seen(`other_${j}`)}` : ''};`);
  }

  /** Where the operands' matrices begin. */
  protected bases(): string[] {
    return Object.entries(this.operands).map(([name, x]) => {
      return `let ${name}_base = ${x.offset.wgsl} + batch * ${x.batchStride.wgsl} + head * ${x.headStride.wgsl};`;
    });
  }
}
