// Counts what was compared, and remembers the worst element with both values.

/** What checkOp compares; see check-op.ts. */
export const checkKinds = [
  'reading',
  'forward',
  'cpu',
  'reference',
  'fused',
  'gradient',
  'fusedGradient',
  'differences',
  'second',
  'edges',
  'half',
] as const;
/** One kind of comparison, such as `forward` or `gradient`. */
export type CheckKind = (typeof checkKinds)[number];
/** How many elements were compared, by kind. */
export type Counts = Record<CheckKind, number>;

/** How far a result may be off: absolute + relative · |expected|. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** The element that came closest to its bound, or went beyond it. */
export interface WorstElement {
  readonly kind: CheckKind;
  readonly sample: string;
  readonly element: number;
  readonly actual: number;
  readonly expected: number;
  readonly allowed: number;
}

/** An op that does not do what it should. */
export class CheckError extends Error {
  constructor(op: string, message: string) {
    super(`[checkOp] ${op}: ${message}`);
    this.name = 'CheckError';
  }
}

export class Comparison {
  readonly compared: Counts = emptyCounts();
  /** What the samples promise to compare, summed before each comparison. */
  readonly planned: Counts = emptyCounts();
  worst: WorstElement | undefined;

  constructor(private readonly op: string) {}

  plan(kind: CheckKind, values: number): void {
    this.planned[kind] += values;
  }

  /** @throws CheckError naming the worst element if one is out of bounds, or if the lengths differ. */
  compare(
    kind: CheckKind,
    sample: string,
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    { relative, absolute }: Tolerance,
  ): void {
    if (actual.length !== expected.length) {
      throw new CheckError(
        this.op,
        `${kind} of sample ${sample} has ${actual.length} elements, not ${expected.length}.`,
      );
    }
    let worst: WorstElement | undefined;
    let excess = -1;
    for (let i = 0; i < expected.length; i++) {
      const [x, y] = [actual[i]!, expected[i]!];
      const allowed = absolute + relative * Math.abs(y);
      const ratio =
        x === y || (Number.isNaN(x) && Number.isNaN(y))
          ? 0
          : Number.isFinite(y)
            ? Math.abs(x - y) / allowed
            : Number.POSITIVE_INFINITY;
      if (!(ratio <= excess)) {
        excess = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
        worst = { kind, sample, element: i, actual: x, expected: y, allowed };
      }
    }
    this.compared[kind] += expected.length;
    if (worst && excess > 1) {
      throw new CheckError(
        this.op,
        `${kind} of sample ${sample}: element ${worst.element} is ${worst.actual}, expected ${worst.expected}, off by ${Math.abs(worst.actual - worst.expected)} where ${worst.allowed} is allowed.`,
      );
    }
    if (worst && excess >= this.excess) {
      this.excess = excess;
      this.worst = worst;
    }
  }

  private excess = 0;

  fail(message: string): never {
    throw new CheckError(this.op, message);
  }

  /** @throws CheckError if fewer values were compared than planned, or none of a kind that must be there. */
  finish(required: readonly CheckKind[]): void {
    for (const kind of checkKinds) {
      if (this.compared[kind] < this.planned[kind]) {
        this.fail(`compared ${this.compared[kind]} values in ${kind}, and its samples have ${this.planned[kind]}.`);
      }
    }
    for (const kind of required) if (this.compared[kind] === 0) this.fail(`nothing was compared in ${kind}.`);
  }
}

function emptyCounts(): Counts {
  return Object.fromEntries(checkKinds.map((kind) => [kind, 0])) as Counts;
}
