// A cache of limited size: entries that a program no longer uses must not accumulate, however many shapes it runs.

/** Holds the entries used last, up to a number; older ones go, through `onForget`. */
export class Recent<V> {
  private readonly entries = new Map<string, V>();

  constructor(
    private readonly capacity: number,
    private readonly onForget: (value: V) => void = () => {},
  ) {}

  /** The entry, made if it is not there. */
  get(key: string, make: () => V): V {
    const found = this.entries.get(key);
    const value = found ?? make();
    // Insertion order is the order of use.
    if (found) this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) {
      const [oldest, forgotten] = this.entries.entries().next().value!;
      this.entries.delete(oldest);
      this.onForget(forgotten);
    }
    return value;
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}
