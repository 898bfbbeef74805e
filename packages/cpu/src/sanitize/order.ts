// In which order workgroups and invocations run.

/** Numbers from 0 to count − 1, each once. */
export interface Order {
  numbers(count: number): ArrayLike<number>;
}

export const natural: Order = {
  numbers: (count) => Array.from({ length: count }, (_, k) => k),
};

/** Another order at each call, and the same ones for the same seed. */
export class Shuffled implements Order {
  private state: number;

  constructor(seed: number) {
    this.state = (seed ^ 0x9e3779b9) >>> 0;
  }

  /** Fisher and Yates. */
  numbers(count: number): ArrayLike<number> {
    const order = Uint32Array.from({ length: count }, (_, k) => k);
    for (let k = count - 1; k > 0; k--) {
      const other = this.below(k + 1);
      [order[k], order[other]] = [order[other]!, order[k]!];
    }
    return order;
  }

  /** Marsaglia's xorshift32. https://www.jstatsoft.org/article/view/v008i14 */
  private below(count: number): number {
    let x = this.state || 1;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % count;
  }
}
