// A list of whole numbers that grows, 4 bytes each: of many records, a list of JavaScript's has more.

/** Whole numbers below 2³². */
export class Numbers {
  #values = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const longer = new Uint32Array(Math.ceil(1.5 * this.#length));
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#length++] = value;
  }

  /** Those that there are by now, which do not change with the list. */
  all(): Uint32Array {
    return this.#values.slice(0, this.#length);
  }
}
