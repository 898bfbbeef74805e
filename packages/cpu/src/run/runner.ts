// The page's side of a device's memory and workers. Everything that is to happen in order (dispatches, copies, clears,
// writes) becomes words of a batch; batches are posted into a ring that the leader empties. Without shared memory, the same
// batches travel by message to one worker that owns the memory. The calling thread never blocks.
import { portSource, startThread, type Thread } from '#host';
import type { CompiledKernel } from '../compile/kernel.js';
import { type Allocation, Allocator } from './allocator.js';
import { head, layout } from './layout.js';
import { type FromWorker, workerMain } from './worker.js';

const PAGE = 65536;
/** Pages that a memory may have at most; a platform that refuses one is asked for less. */
const MOST_PAGES = [65536, 32768, 16384, 8192];
/** Bytes that the calling thread sets to zero by itself rather than leave it to a worker. */
const CLEARED_HERE = 1 << 18;
const RESERVE = 1 << 16;

/** What a runner says to its device. */
export interface RunnerHooks {
  /** Called once, if nothing more can be carried out. */
  readonly failed: (why: string) => void;
  /** A validation error: only the sanitizer finds any. */
  readonly invalid: (message: string) => void;
}

export interface RunnerOptions extends Pick<RunnerHooks, 'failed'> {
  readonly threads: number;
  /** Undefined: where the platform has it. */
  readonly sharedMemory?: boolean | undefined;
  readonly makeWorker?: (() => Worker) | undefined;
}

interface Waiter {
  readonly sequence: number;
  readonly settle: () => void;
}

/** Whether this platform gives memory that threads share (in a browser: the page is cross-origin isolated). */
export function hasSharedMemory(): boolean {
  return (
    typeof SharedArrayBuffer === 'function' &&
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false
  );
}

/** What a device needs of the thing that carries out its commands. */
export type DeviceRunner = Pick<Runner, keyof Runner>;

export class Runner {
  readonly threads: number;
  readonly shared: boolean;
  readonly #allocator: Allocator;
  readonly #workers: Thread[] = [];
  readonly #control: Int32Array;
  readonly #failed: (why: string) => void;
  #memory: WebAssembly.Memory | undefined;
  #mostPages: number = MOST_PAGES[0]!;
  #pages = 1;
  #bytes = new Uint8Array();
  #dead = false;

  #kernels = 0;
  #scratch = 0;
  #stride = 0;
  /** Words of commands that are not posted yet. */
  #words: number[] = [];
  /** Batches that found no place in the ring. */
  readonly #backlog: number[] = [];
  #sequence = 0;
  #posted = 0;
  #done = 0;
  readonly #waiters: Waiter[] = [];
  /** A range for a batch when there is no other. */
  #reserve: number | undefined;
  /** Ranges to be released once a batch is done. */
  readonly #garbage: { sequence: number; address: number; size: number }[] = [];
  readonly #peeks = new Map<number, (bytes: ArrayBuffer) => void>();
  #peek = 0;

  constructor(options: RunnerOptions) {
    this.#failed = options.failed;
    this.shared = (options.sharedMemory ?? true) && hasSharedMemory();
    this.threads = this.shared ? options.threads : 1;
    this.#control = new Int32Array(
      this.shared ? new SharedArrayBuffer(layout.words * 4) : new ArrayBuffer(layout.words * 4),
    );
    if (this.shared) this.#createMemory();
    this.#allocator = new Allocator(256, (end) => this.#reach(end));
    const source = `(${workerMain})(${portSource()},${JSON.stringify(layout)})`;
    for (let index = 0; index < this.threads; index++) {
      const worker = startThread(
        source,
        `paris-cpu-${index}`,
        { message: (message) => this.#receive(message), failed: (why) => this.#fail(`A worker failed: ${why}.`) },
        options.makeWorker,
      );
      const shared = this.#memory && { memory: this.#memory, control: this.#control.buffer as SharedArrayBuffer };
      worker.post({ kind: 'start', index, threads: this.threads, ...(shared && { shared }) });
      this.#workers.push(worker);
    }
  }

  /** Bytes of the memory that are in use. */
  get bytesInUse(): number {
    return this.#allocator.inUse - (this.#reserve === undefined ? 0 : RESERVE);
  }

  /** A range of bytes; undefined if the memory is exhausted. If it was in use before, it is not zero: see {@link clear}. */
  allocate(size: number): Allocation | undefined {
    if (this.#dead) return undefined;
    this.#collect();
    return this.#allocator.allocate(size);
  }

  /** Gives a range back as soon as all that was asked for until now is done. */
  release(address: number, size: number): void {
    if (this.#dead) return;
    if (this.#idle()) {
      this.#allocator.release(address, size);
      return;
    }
    this.#garbage.push({ sequence: this.#next(), address, size });
    // Nothing else may follow that would.
    this.flush();
  }

  /** Sends a kernel to the workers. Returns the number that dispatches name it by; undefined if the memory is exhausted. */
  addKernel({ wasm, scratchBytes }: CompiledKernel): number | undefined {
    if (!this.#provideScratch(scratchBytes)) return undefined;
    const id = this.#kernels++;
    Atomics.add(this.#control, layout.mail, 1);
    for (const worker of this.#workers) worker.post({ kind: 'kernel', id, wasm });
    this.#wake(layout.lead);
    this.#wake(layout.follow);
    return id;
  }

  /** Adds a command, or several. */
  push(words: readonly number[]): void {
    for (let i = 0; i < words.length; i++) this.#words.push(words[i]!);
  }

  clear(address: number, size: number): void {
    if (this.#dead) return;
    if (this.shared && size <= CLEARED_HERE && this.#idle())
      this.#view(address + size).fill(0, address, address + size);
    else this.#words.push(head(layout.clear, 3), address, size);
  }

  /** Writes bytes, after all that was asked for before. They are copied at once. False if the memory is exhausted. */
  write(address: number, bytes: Uint8Array): boolean {
    if (this.#dead || bytes.length === 0) return true;
    if (!this.shared) this.flush();
    if (!this.shared || this.#idle()) {
      this.#poke(address, bytes);
      return true;
    }
    this.#collect();
    const staging = this.#allocator.allocate(bytes.length);
    if (!staging) return false;
    this.#poke(staging.address, bytes);
    this.#words.push(head(layout.copy, 4), address, staging.address, bytes.length);
    this.#garbage.push({ sequence: this.#next(), address: staging.address, size: bytes.length });
    return true;
  }

  /** Posts the commands that have gathered. False if the memory is exhausted; then they are kept. */
  flush(): boolean {
    if (this.#dead || this.#words.length === 0) return true;
    this.#collect();
    const size = (layout.batchHeader + this.#words.length) * 4;
    let batch = this.#allocator.allocate(size);
    if (!batch && this.#reserve !== undefined) {
      // So that commands can still be posted whose end gives memory back.
      this.#allocator.release(this.#reserve, RESERVE);
      this.#reserve = undefined;
      batch = this.#allocator.allocate(size);
    }
    if (!batch) return false;
    const words = new Uint32Array(layout.batchHeader + this.#words.length);
    words.set([this.#words.length, this.#scratch, this.#stride]);
    words.set(this.#words, layout.batchHeader);
    this.#words = [];
    this.#sequence = (this.#sequence + 1) | 0;
    this.#garbage.push({ sequence: this.#sequence, address: batch.address, size });
    if (this.shared) {
      new Uint32Array(this.#view(batch.address + size).buffer, batch.address, words.length).set(words);
      this.#backlog.push(batch.address);
      this.#feed();
    } else {
      this.#workers[0]!.post({ kind: 'batch', address: batch.address, words }, [words.buffer]);
    }
    return true;
  }

  /** Resolves when all that was asked for until now is done, or the workers are no more; in the order of the calls. */
  whenDone(): Promise<void> {
    if (!this.shared) return this.fetch(0, 0).then(() => {});
    if (!this.flush()) this.#fail('No memory is left for the commands of a submit.');
    // Those that wait already come first.
    if (this.#waiters.length === 0 && (this.#dead || this.#finished() === this.#sequence)) return Promise.resolve();
    return new Promise((settle) => {
      this.#waiters.push({ sequence: this.#sequence, settle });
      this.#hold();
      this.#ask();
    });
  }

  /** A copy of bytes of shared memory. All work on them must be done. */
  read(address: number, size: number): ArrayBuffer {
    return this.#view(address + size).slice(address, address + size).buffer as ArrayBuffer;
  }

  /** A copy of bytes from the worker that owns them, when all that was asked for is done; once it is no more, zeros. */
  fetch(address: number, size: number): Promise<ArrayBuffer> {
    if (!this.flush()) this.#fail('No memory is left for the commands of a submit.');
    if (this.#dead) return Promise.resolve(new ArrayBuffer(size));
    return new Promise((resolve) => {
      const id = this.#peek++;
      this.#peeks.set(id, (bytes) => resolve(bytes.byteLength === size ? bytes : new ArrayBuffer(size)));
      this.#hold();
      this.#workers[0]!.post({ kind: 'peek', address, size, id });
    });
  }

  /** Ends the workers, whatever they do, and settles every promise. */
  destroy(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const worker of this.#workers) worker.terminate();
    for (const { settle } of this.#waiters.splice(0)) settle();
    for (const resolve of this.#peeks.values()) resolve(new ArrayBuffer(0));
    this.#peeks.clear();
    this.#memory = undefined;
    this.#bytes = new Uint8Array();
    this.#words = [];
  }

  #createMemory(): void {
    for (const maximum of MOST_PAGES) {
      try {
        this.#memory = new WebAssembly.Memory({ initial: 1, maximum, shared: true });
        this.#mostPages = maximum;
        return;
      } catch (error) {
        if (maximum === MOST_PAGES.at(-1)) throw error;
      }
    }
  }

  /** Grows the memory so that it reaches to `end`, with some room if there is any. */
  #reach(end: number): boolean {
    const needed = Math.ceil(end / PAGE);
    if (needed <= this.#pages) return true;
    if (needed > this.#mostPages) return false;
    const roomy = Math.min(this.#mostPages, needed + Math.min(1024, needed >>> 2));
    for (const pages of [roomy, needed]) {
      try {
        if (this.#memory) this.#memory.grow(pages - this.#pages);
        else this.#workers[0]!.post({ kind: 'grow', pages: pages - this.#pages });
        this.#pages = pages;
        Atomics.store(this.#control, layout.pages, pages);
        return true;
      } catch {
        // The exact number is tried next.
      }
    }
    return false;
  }

  #view(end: number): Uint8Array {
    if (this.#bytes.length < end) this.#bytes = new Uint8Array(this.#memory!.buffer);
    return this.#bytes;
  }

  #poke(address: number, bytes: Uint8Array): void {
    if (this.shared) {
      this.#view(address + bytes.length).set(bytes, address);
    } else {
      const copy = new Uint8Array(bytes);
      this.#workers[0]!.post({ kind: 'poke', address, bytes: copy }, [copy.buffer]);
    }
  }

  #provideScratch(bytes: number): boolean {
    if (bytes <= this.#stride) return true;
    const stride = Math.ceil(bytes / 256) * 256;
    this.#collect();
    const allocation = this.#allocator.allocate(stride * this.threads);
    if (!allocation) return false;
    if (!this.flush()) return false;
    if (this.#stride > 0) this.release(this.#scratch, this.#stride * this.threads);
    this.#scratch = allocation.address;
    this.#stride = stride;
    return true;
  }

  /** The batch that ends what was asked for until now. */
  #next(): number {
    return this.#words.length > 0 ? (this.#sequence + 1) | 0 : this.#sequence;
  }

  #finished(): number {
    return this.shared ? Atomics.load(this.#control, layout.done) : this.#done;
  }

  #idle(): boolean {
    return this.#words.length === 0 && this.#finished() === this.#sequence;
  }

  #wake(word: number): void {
    Atomics.add(this.#control, word, 1);
    if (this.shared) Atomics.notify(this.#control, word);
  }

  /** Moves batches into the ring as far as there is room; asks to be called when there will be. */
  #feed(): void {
    const done = this.#finished();
    let moved = 0;
    while (moved < this.#backlog.length && ((this.#posted - done) | 0) < layout.ringSize) {
      this.#control[layout.ring + ((this.#posted >>> 0) % layout.ringSize)] = this.#backlog[moved++]!;
      this.#posted = (this.#posted + 1) | 0;
    }
    this.#backlog.splice(0, moved);
    if (moved > 0) {
      Atomics.store(this.#control, layout.posted, this.#posted);
      this.#wake(layout.lead);
    }
    if (this.#backlog.length > 0) this.#ask();
  }

  /** Asks the leader for a message at the nearest batch that someone waits for. */
  #ask(): void {
    const waited = this.#waiters[0]?.sequence;
    const middle = this.#backlog.length > 0 ? (this.#posted - (layout.ringSize >>> 1)) | 0 : undefined;
    const ask = waited !== undefined && (middle === undefined || ((waited - middle) | 0) <= 0) ? waited : middle;
    if (ask === undefined) return;
    Atomics.store(this.#control, layout.ask, ask);
    // It may have been done meanwhile, and the leader asleep.
    if (((this.#finished() - ask) | 0) >= 0) queueMicrotask(() => this.#settle());
  }

  #receive(message: FromWorker): void {
    if (this.#dead) return;
    if (message.kind === 'failed') {
      this.#fail(`A worker failed: ${message.message}.`);
      return;
    }
    if (message.kind === 'done') {
      this.#done = message.sequence;
    } else {
      this.#peeks.get(message.id)?.(message.bytes);
      this.#peeks.delete(message.id);
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#dead) return;
    this.#collect();
    if (this.shared) this.#feed();
    const done = this.#finished();
    while (this.#waiters.length > 0 && ((done - this.#waiters[0]!.sequence) | 0) >= 0) this.#waiters.shift()!.settle();
    this.#hold();
    if (this.shared && this.#waiters.length > 0) this.#ask();
  }

  /** Releases what the finished batches needed. */
  #collect(): void {
    const done = this.#finished();
    let count = 0;
    for (; count < this.#garbage.length; count++) {
      const { sequence, address, size } = this.#garbage[count]!;
      if (((done - sequence) | 0) < 0) break;
      this.#allocator.release(address, size);
    }
    if (count > 0) this.#garbage.splice(0, count);
    this.#reserve ??= this.#allocator.allocate(RESERVE)?.address;
  }

  /** The process stays alive while someone waits. */
  #hold(): void {
    this.#workers[0]!.hold(this.#waiters.length + this.#peeks.size > 0);
  }

  #fail(why: string): void {
    if (this.#dead) return;
    this.destroy();
    this.#failed(why);
  }
}
