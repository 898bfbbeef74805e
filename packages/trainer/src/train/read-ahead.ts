// Batches are read before they are needed, so that a step does not wait for a disk or a server.

/** Reads what comes next while the last is worked on. */
export class ReadAhead<T> {
  /** Milliseconds that `take` has waited. */
  waitedMs: number = 0;
  private readonly coming = new Map<number, Promise<T>>();

  /**
   * @param read - gives the batch of a step
   * @param steps - how many there are
   * @param depth - how many are read ahead
   */
  constructor(
    private readonly read: (step: number) => Promise<T>,
    private readonly steps: number,
    private readonly depth: number = 2,
  ) {}

  /** The batch of this step. @throws what reading it threw */
  async take(step: number): Promise<T> {
    const began = performance.now();
    const batch = await this.ask(step);
    this.coming.delete(step);
    this.waitedMs += performance.now() - began;
    return batch;
  }

  /** Begins to read the batches after this step's: to be called when the device has something to do. */
  prepare(step: number): void {
    for (const known of this.coming.keys()) if (known <= step) this.coming.delete(known);
    for (let next = step + 1; next <= step + this.depth && next < this.steps; next++) {
      // One that fails says so when it is taken.
      this.ask(next).catch(() => undefined);
    }
  }

  /** Reads all batches again that are asked for from now on. */
  forget(): void {
    this.coming.clear();
  }

  private ask(step: number): Promise<T> {
    const known = this.coming.get(step);
    if (known) return known;
    const asked = this.read(step);
    this.coming.set(step, asked);
    return asked;
  }
}
