// The position of an element, in WGSL: a row-major index, coordinates, or both. Each form is written when it is first
// needed, so that a chain of elementwise operations on one shape costs no division at all.
import { type Shape, sizeOf, stridesOf } from './shape.js';

/** Gives expressions names within the block that is being written. */
export interface Namer {
  name(expression: string): string;
  /** The loop over rows of `length` elements that contains the block; `row` is the row's number. */
  readonly loop?: { readonly row: string; readonly length: number } | undefined;
}

/**
 * How a position relates to the loop that contains it: `element` is the loop's own element, `row` the row that the
 * element belongs to, `other` anywhere.
 */
export type Relation = 'element' | 'row' | 'other';

/** A row-major index in rows of `width` elements: index = row · width + column. */
export interface RowPlace {
  readonly row: string;
  readonly column: string;
  readonly width: number;
}

export class Position {
  private constructor(
    private readonly namer: Namer,
    readonly shape: Shape,
    readonly relation: Relation,
    private index: string | undefined,
    private perAxis: readonly string[] | undefined,
    private readonly place?: RowPlace | undefined,
  ) {}

  static atIndex(namer: Namer, shape: Shape, linear: string, relation: Relation = 'other'): Position {
    return new Position(namer, shape, relation, linear, undefined);
  }

  /** The position of an element whose row and column are known, too. */
  static inRows(namer: Namer, shape: Shape, linear: string, place: RowPlace | undefined): Position {
    return new Position(namer, shape, 'element', linear, undefined, place);
  }

  static at(namer: Namer, shape: Shape, coordinates: readonly string[]): Position {
    return new Position(namer, shape, 'other', undefined, coordinates);
  }

  /** The same place in another shape of the same size. */
  reshaped(shape: Shape): Position {
    return new Position(this.namer, shape, this.relation, this.linear, undefined, this.place);
  }

  /** A place in another shape. */
  moved(shape: Shape, coordinates: readonly string[]): Position {
    return Position.at(this.namer, shape, coordinates);
  }

  /** The row's place in a shape that broadcasts to this one over exactly the elements of each row. */
  rowOf(from: Shape): Position | undefined {
    const { loop } = this.namer;
    if (this.relation !== 'element' || !loop || !broadcastsRows(from, this.shape, loop.length)) return undefined;
    return Position.atIndex(this.namer, from, loop.row, 'row');
  }

  /** A key that differs between two places of one shape. */
  get key(): string {
    return this.index ?? `(${this.perAxis!.join(',')})`;
  }

  get linear(): string {
    if (this.index !== undefined) return this.index;
    const strides = stridesOf(this.shape);
    const terms = this.perAxis!.flatMap((c, i) =>
      c === '0u' || this.isSingle(i) ? [] : [strides[i] === 1 ? c : `${c} * ${strides[i]}u`],
    );
    this.index = this.namer.name(terms.join(' + ') || '0u');
    return this.index;
  }

  /** Whether an axis is of size 1, whatever the batch: the first axis is not, so that a batch of 1 shares shaders too. */
  private isSingle(axis: number): boolean {
    return axis > 0 && this.shape[axis] === 1;
  }

  /** One u32 expression for each axis. The size of the first axis never appears, so batch sizes share shaders. */
  get coordinates(): readonly string[] {
    if (this.perAxis) return this.perAxis;
    this.perAxis = this.coordinatesInRows() ?? this.coordinatesOf(this.index!);
    return this.perAxis;
  }

  /** Where some of the last axes are a row: the others from its number, these from the column. */
  private coordinatesInRows(): readonly string[] | undefined {
    if (!this.place) return undefined;
    const { row, column, width } = this.place;
    const first = this.shape.findLastIndex((_, axis) => sizeOf(this.shape.slice(axis)) === width);
    if (first < 0) return undefined;
    const [lead, own] = [this.shape.slice(0, first), this.shape.slice(first)];
    return [
      ...Position.atIndex(this.namer, lead, row).coordinates,
      ...Position.atIndex(this.namer, own, column).coordinates,
    ];
  }

  private coordinatesOf(index: string): readonly string[] {
    const strides = stridesOf(this.shape);
    const result: string[] = [];
    let rest = index;
    const last = this.shape.findLastIndex((_, i) => !this.isSingle(i));
    this.shape.forEach((_, i) => {
      if (this.isSingle(i)) result.push('0u');
      else if (i === last) result.push(rest);
      else {
        // A stride of 0 is that of a shape without elements, which nothing reads; WGSL still refuses to divide by it.
        const quotient = this.namer.name(`${rest} / ${Math.max(1, strides[i]!)}u`);
        rest = this.namer.name(`${rest} - ${quotient} * ${strides[i]}u`);
        result.push(quotient);
      }
    });
    return result;
  }
}

/** Whether `from` has one element for each row of `length` elements of `to`. */
export function broadcastsRows(from: Shape, to: Shape, length: number): boolean {
  const lead = to.length - from.length;
  const row = to.findIndex((n, axis) => n !== (from[axis - lead] ?? 1));
  return row >= 0 && sizeOf(to.slice(row)) === length && from.slice(Math.max(0, row - lead)).every((n) => n === 1);
}
