// Experts that come when they are asked for and leave, the least recently used first, so that they keep to a budget.
import type { Expert, Params } from '@paris/model';
import type { ExpertLoad, ExpertShelf, Lease, Residency } from './shelf.js';

/** What a {@link budgetShelf} works with. */
export interface BudgetShelfOptions {
  /** By cluster. */
  readonly experts: readonly Expert[];
  /** Bytes of device memory that each takes. */
  readonly sizes: readonly number[];
  /** Most bytes that experts may take together: those of the largest at least. */
  readonly budgetBytes: number;
  /** Brings an expert's weights. */
  readonly load: (expert: number) => Promise<Params>;
  /** Gives their memory back. */
  readonly unload: (params: Params) => void;
}

/** An expert that is on the device. */
interface Place {
  readonly params: Params;
  readonly bytes: number;
  leases: number;
}

/** A shelf on which nothing is at first. Loads run one after the other, however many ask. */
export function budgetShelf(options: BudgetShelfOptions): ExpertShelf {
  return new BudgetShelf(options);
}

class BudgetShelf implements ExpertShelf {
  readonly #options: BudgetShelfOptions;
  /** The least recently used first. */
  readonly #places = new Map<number, Place>();
  #lastLoad: Promise<unknown> = Promise.resolve();
  /** Called at the next release. */
  #waiting: (() => void)[] = [];
  #counts = { residentBytes: 0, peakBytes: 0, loads: 0, evictions: 0, loadedBytes: 0, loadMilliseconds: 0 };

  constructor(options: BudgetShelfOptions) {
    this.#options = options;
  }

  get experts(): readonly Expert[] {
    return this.#options.experts;
  }

  get resident(): ReadonlySet<number> {
    return new Set(this.#places.keys());
  }

  get residency(): Residency {
    return { budgetBytes: this.#options.budgetBytes, ...this.#counts };
  }

  async acquire(expert: number, signal?: AbortSignal): Promise<Lease> {
    signal?.throwIfAborted();
    const there = this.#leaseOf(expert);
    if (there) return there;
    const loading = this.#lastLoad.then(async () => this.#leaseOf(expert) ?? this.#load(expert));
    this.#lastLoad = loading.catch(() => undefined);
    return signal ? unlessAborted(loading, signal) : loading;
  }

  #leaseOf(expert: number, load?: ExpertLoad): Lease | undefined {
    const place = this.#places.get(expert);
    if (!place) return undefined;
    this.#places.delete(expert); // and to the end: it is the one used last
    this.#places.set(expert, place);
    place.leases++;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      place.leases--;
      for (const wake of this.#waiting.splice(0)) wake();
    };
    return { params: place.params, release, ...(load && { load }) };
  }

  async #load(expert: number): Promise<Lease> {
    const began = performance.now();
    const bytes = this.#options.sizes[expert]!;
    const evictions = await this.#makeRoom(bytes);
    // Counted before they are there: what has arrived of them takes memory as well.
    this.#count(bytes);
    try {
      const params = await this.#options.load(expert);
      this.#places.set(expert, { params, bytes, leases: 0 });
    } catch (error) {
      this.#count(-bytes);
      throw error;
    }
    const milliseconds = performance.now() - began;
    this.#counts.loads++;
    this.#counts.loadedBytes += bytes;
    this.#counts.loadMilliseconds += milliseconds;
    return this.#leaseOf(expert, { bytes, evictions, milliseconds })!;
  }

  #count(bytes: number): void {
    this.#counts.residentBytes += bytes;
    this.#counts.peakBytes = Math.max(this.#counts.peakBytes, this.#counts.residentBytes);
  }

  /** Lets experts go until so many bytes fit. Those in use are waited for. @returns how many went */
  async #makeRoom(bytes: number): Promise<number> {
    let evictions = 0;
    while (this.#counts.residentBytes + bytes > this.#options.budgetBytes) {
      const [oldest] = [...this.#places].filter(([, { leases }]) => leases === 0);
      if (!oldest) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      const [expert, place] = oldest;
      this.#places.delete(expert);
      this.#options.unload(place.params);
      this.#count(-place.bytes);
      this.#counts.evictions++;
      evictions++;
    }
    return evictions;
  }
}

/** A lease, or the signal's reason. The load runs to its end even so: its weights stay for the next one to ask. */
function unlessAborted(loading: Promise<Lease>, signal: AbortSignal): Promise<Lease> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      loading.then(
        (lease) => lease.release(),
        () => undefined,
      );
    };
    const settled = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort);
    loading.then(resolve, reject).finally(settled);
  });
}
