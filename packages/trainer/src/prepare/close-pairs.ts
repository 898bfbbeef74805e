// Which of many points are close to each other, without a look at each pair: both sides of a cut are searched by themselves, and
// across it only what is near to it. As often as it is worth it; then each pair of the few that are left.

/** Some points of [N, D]. */
export interface Points {
  /** Their numbers. */
  readonly which: Uint32Array;
  readonly dimensions: number;
  readonly values: ArrayLike<number>;
}

/** Called with pairs of points. What it promises is waited for. */
export type OnPair = (a: number, b: number) => Promise<void> | undefined;

/** Points that are compared each with each. */
const FEW = 24;

/**
 * Calls `visit` once with every pair that is at most `apart` along each axis, and with some that are not; in no order that means
 * anything. For points that spread, about N · log N calls and not N².
 * @param pause - called between pieces of work; what it promises is waited for
 */
export async function closePairs(
  points: Points,
  apart: number,
  visit: OnPair,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  await new Search(points, apart, visit, pause).within(points.which);
}

class Search {
  constructor(
    private readonly points: Points,
    private readonly apart: number,
    private readonly visit: OnPair,
    private readonly pause: () => Promise<void> | undefined,
  ) {}

  /** All pairs of some points. */
  async within(rows: Uint32Array): Promise<void> {
    const cut = rows.length > FEW ? this.#cut(rows) : undefined;
    if (cut) {
      const [below, above] = this.#parts(rows, cut);
      await this.within(below);
      await this.within(above);
      return this.between(this.#near(below, cut), this.#near(above, cut));
    }
    for (const [i, a] of rows.entries()) await this.#compare(a, rows.subarray(0, i));
  }

  /** All pairs of one point of each side. */
  async between(left: Uint32Array, right: Uint32Array): Promise<void> {
    if (left.length === 0 || right.length === 0) return;
    // The larger side is cut in two, so that each piece of work is smaller than the whole.
    const cut =
      left.length * right.length > FEW ** 2 ? this.#cut(left.length > right.length ? left : right) : undefined;
    if (cut) {
      const [leftBelow, leftAbove] = this.#parts(left, cut);
      const [rightBelow, rightAbove] = this.#parts(right, cut);
      await this.between(leftBelow, rightBelow);
      await this.between(leftAbove, rightAbove);
      await this.between(this.#near(leftBelow, cut), this.#near(rightAbove, cut));
      return this.between(this.#near(leftAbove, cut), this.#near(rightBelow, cut));
    }
    for (const a of left) await this.#compare(a, right);
  }

  async #compare(a: number, others: Uint32Array): Promise<void> {
    for (const b of others) {
      const work = this.visit(a, b);
      if (work) await work;
    }
    const rest = this.pause();
    if (rest) await rest;
  }

  /** Through the mean of the axis along which they spread most; none where that is so little that most would be near to it. */
  #cut(rows: Uint32Array): Cut | undefined {
    const { values, dimensions } = this.points;
    const count = rows.length;
    let best: Cut | undefined;
    let most = (this.apart / 2) ** 2 * count;
    for (let axis = 0; axis < dimensions; axis++) {
      let [sum, squares] = [0, 0];
      for (let i = 0; i < count; i++) {
        const value = values[rows[i]! * dimensions + axis]!;
        sum += value;
        squares += value * value;
      }
      const spread = squares - sum ** 2 / count;
      if (spread <= most) continue;
      most = spread;
      best = { axis, at: sum / count };
    }
    return best;
  }

  #parts(rows: Uint32Array, { axis, at }: Cut): [below: Uint32Array, above: Uint32Array] {
    const { values, dimensions } = this.points;
    const isBelow = (row: number) => values[row * dimensions + axis]! < at;
    return [rows.filter(isBelow), rows.filter((row) => !isBelow(row))];
  }

  #near(rows: Uint32Array, { axis, at }: Cut): Uint32Array {
    const { values, dimensions } = this.points;
    return rows.filter((row) => Math.abs(values[row * dimensions + axis]! - at) <= this.apart);
  }
}

interface Cut {
  readonly axis: number;
  readonly at: number;
}
