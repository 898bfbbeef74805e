// Which ranges of the one memory are in use. Best fit over a list of free ranges in the order of their addresses;
// neighbours are merged. Every range begins at a multiple of 256 (WebGPU's offset alignment) and counts in multiples of it.

const ALIGNMENT = 256;

interface Range {
  start: number;
  end: number;
}

export interface Allocation {
  readonly address: number;
  /** Whether the range was in use before, so that its bytes are not known to be zero. */
  readonly used: boolean;
}

export class Allocator {
  readonly #free: Range[] = [];
  /** First address that was never in use. */
  #top: number;
  /** Bytes in use, padding included. */
  inUse = 0;

  /**
   * @param start - the first address
   * @param reach - makes the memory reach to an address; false if it cannot
   */
  constructor(
    start: number,
    private readonly reach: (end: number) => boolean,
  ) {
    this.#top = roundUp(start);
  }

  /** A range of at least `size` bytes; undefined if there is none. */
  allocate(size: number): Allocation | undefined {
    const bytes = Math.max(ALIGNMENT, roundUp(size));
    let best = -1;
    let bestSize = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#free.length && bestSize !== bytes; i++) {
      const length = this.#free[i]!.end - this.#free[i]!.start;
      if (length >= bytes && length < bestSize) {
        best = i;
        bestSize = length;
      }
    }
    let address: number;
    if (best >= 0) {
      const range = this.#free[best]!;
      address = range.start;
      range.start += bytes;
      if (range.start === range.end) this.#free.splice(best, 1);
    } else {
      // A free range that ends at the top is continued.
      const last = this.#free.at(-1);
      address = last?.end === this.#top ? last.start : this.#top;
      if (!this.reach(address + bytes)) return undefined;
      if (address < this.#top) this.#free.pop();
      this.inUse += bytes;
      const used = address < this.#top;
      this.#top = address + bytes;
      return { address, used };
    }
    this.inUse += bytes;
    return { address, used: true };
  }

  /** Gives back what `allocate(size)` gave. */
  release(address: number, size: number): void {
    const bytes = Math.max(ALIGNMENT, roundUp(size));
    const end = address + bytes;
    this.inUse -= bytes;
    let low = 0;
    for (let high = this.#free.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#free[middle]!.start < address) low = middle + 1;
      else high = middle;
    }
    const before = this.#free[low - 1];
    const after = this.#free[low];
    if (before?.end === address) {
      before.end = after?.start === end ? after.end : end;
      if (after?.start === end) this.#free.splice(low, 1);
    } else if (after?.start === end) {
      after.start = address;
    } else {
      this.#free.splice(low, 0, { start: address, end });
    }
  }
}

function roundUp(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
