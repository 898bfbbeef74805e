// Who accessed each piece of memory last, and whether a second access is ordered after it.
//
// Two accesses by different invocations are ordered only if both invocations are of one workgroup and a barrier for that
// memory lies between them; workgroups of a dispatch are never ordered. Atomic accesses do not race with each other.
// https://www.w3.org/TR/WGSL/#memory-model
//
// Invocations run one after another, so two accesses of each kind are enough to remember: of two different invocations, and
// of two different workgroups where there were several. Whatever comes next conflicts with one of them, if with any.

/** Numbers a slot holds: invocation + 1 (0: empty), epoch of its workgroup, site and whether the access was atomic. */
const SLOT = 3;
/** Two writes, then two reads. */
const CELL = 4 * SLOT;
const READS = 2 * SLOT;
const PAGE_BYTES = 1024;

/** Who is running, and since how many barriers. */
export interface Now {
  /** Linear, in the dispatch. */
  invocation: number;
  /** The first invocation of the workgroup that runs now. */
  first: number;
  /** Invocations of a workgroup. */
  readonly perWorkgroup: number;
  /** Barriers that this workgroup has passed, for each kind of memory. */
  readonly epoch: { storage: number; workgroup: number };
}

/** One access of a conflict. */
export interface Access {
  readonly invocation: number;
  readonly site: number;
  readonly writes: boolean;
  readonly atomic: boolean;
}

export interface Watcher {
  race(first: Access, second: Access): void;
  uninitialized(site: number): void;
}

export class Shadow {
  private readonly pages = new Map<number, Int32Array>();
  private readonly shift: number;
  private lastNumber = -1;
  private lastPage: Int32Array = new Int32Array();

  /** @param halves - whether two bytes are a cell of their own */
  constructor(
    private readonly now: Now,
    private readonly space: 'storage' | 'workgroup',
    halves: boolean,
    private readonly watcher: Watcher,
  ) {
    this.shift = halves ? 1 : 2;
  }

  /** Forgets everything. */
  clear(): void {
    for (const page of this.pages.values()) page.fill(0);
  }

  read(site: number, address: number, bytes: number): void {
    this.reads(site, address, bytes, false);
  }

  readAtomic(site: number, address: number, bytes: number): void {
    this.reads(site, address, bytes, true);
  }

  write(site: number, address: number, bytes: number): void {
    this.writes(site, address, bytes, false);
  }

  writeAtomic(site: number, address: number, bytes: number): void {
    this.writes(site, address, bytes, true);
  }

  /** Reads and writes at once. Counting from the zero that memory begins with is what it is for. */
  update(site: number, address: number, bytes: number): void {
    this.writes(site, address, bytes, true);
  }

  /** Who wrote there last. */
  lastWrite(address: number): Access | undefined {
    const page = this.pages.get(Math.floor(address / PAGE_BYTES));
    if (!page) return undefined;
    const cell = ((address % PAGE_BYTES) >>> this.shift) * CELL;
    // The second slot is taken after the first.
    const slot = page[cell + SLOT] ? cell + SLOT : cell;
    return page[slot] ? this.access(page, slot, true) : undefined;
  }

  private reads(site: number, address: number, bytes: number, atomic: boolean): void {
    const page = this.page(address);
    const first = ((address % PAGE_BYTES) >>> this.shift) * CELL;
    const end = first + (bytes >>> this.shift) * CELL;
    for (let cell = first; cell < end; cell += CELL) {
      if (page[cell] !== 0) this.compare(page, cell, site, false, atomic);
      else if (this.space === 'workgroup') this.watcher.uninitialized(site);
      this.keep(page, cell + READS, site, atomic);
    }
  }

  private writes(site: number, address: number, bytes: number, atomic: boolean): void {
    const page = this.page(address);
    const first = ((address % PAGE_BYTES) >>> this.shift) * CELL;
    const end = first + (bytes >>> this.shift) * CELL;
    for (let cell = first; cell < end; cell += CELL) {
      if (page[cell] !== 0) this.compare(page, cell, site, true, atomic);
      if (page[cell + READS] !== 0) this.compare(page, cell + READS, site, true, atomic);
      this.keep(page, cell, site, atomic);
    }
  }

  private page(address: number): Int32Array {
    const number = Math.floor(address / PAGE_BYTES);
    if (number === this.lastNumber) return this.lastPage;
    let page = this.pages.get(number);
    if (!page) {
      page = new Int32Array((PAGE_BYTES >>> this.shift) * CELL);
      this.pages.set(number, page);
    }
    this.lastNumber = number;
    this.lastPage = page;
    return page;
  }

  /** Against both slots from `at` on. */
  private compare(page: Int32Array, at: number, site: number, writes: boolean, atomic: boolean): void {
    for (let slot = at; slot < at + 2 * SLOT; slot += SLOT) {
      const other = page[slot]!;
      if (other === 0) return;
      if (other - 1 === this.now.invocation) continue;
      if (atomic && page[slot + 2]! & 1) continue;
      if (this.isOrdered(page, slot)) continue;
      const first = this.access(page, slot, at % CELL === 0);
      this.watcher.race(first, { invocation: this.now.invocation, site, writes, atomic });
      return;
    }
  }

  private access(page: Int32Array, slot: number, writes: boolean): Access {
    return { invocation: page[slot]! - 1, site: page[slot + 2]! >>> 1, writes, atomic: (page[slot + 2]! & 1) === 1 };
  }

  private isOrdered(page: Int32Array, slot: number): boolean {
    return this.isHere(page[slot]! - 1) && page[slot + 1]! < this.now.epoch[this.space];
  }

  /** Whether an invocation is of the workgroup that runs now. */
  private isHere(invocation: number): boolean {
    const { first, perWorkgroup } = this.now;
    return invocation >= first && invocation < first + perWorkgroup;
  }

  /** Remembers this access in one of the two slots from `at` on. */
  private keep(page: Int32Array, at: number, site: number, atomic: boolean): void {
    const second = at + SLOT;
    let slot = at;
    if (this.isFree(page, at)) {
      if (page[second] !== 0 && this.isOrdered(page, second)) page.fill(0, second, second + SLOT);
    } else {
      slot = second;
      if (!this.isFree(page, second) && !this.areElsewhere(page, at, second)) return;
    }
    page[slot] = this.now.invocation + 1;
    page[slot + 1] = this.now.epoch[this.space];
    page[slot + 2] = (site << 1) | Number(atomic);
  }

  /** Whether a slot is empty, or nothing that matters is lost with it. */
  private isFree(page: Int32Array, slot: number): boolean {
    const kept = page[slot]!;
    return kept === 0 || kept === this.now.invocation + 1 || this.isOrdered(page, slot);
  }

  /** Whether both are of one workgroup, which is not the one that runs now. */
  private areElsewhere(page: Int32Array, a: number, b: number): boolean {
    const { perWorkgroup } = this.now;
    const workgroup = Math.floor((page[a]! - 1) / perWorkgroup);
    return !this.isHere(page[a]! - 1) && workgroup === Math.floor((page[b]! - 1) / perWorkgroup);
  }
}
