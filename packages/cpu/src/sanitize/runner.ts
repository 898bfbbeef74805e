// The runner of a sanitized device: commands run when they are flushed, on the calling thread.
import type { CompiledKernel } from '../compile/kernel.js';
import type { Allocation, Allocator } from '../run/allocator.js';
import type { DeviceRunner, RunnerHooks } from '../run/runner.js';
import { type DispatchRange, runWatched } from './dispatch.js';
import type { Finding } from './finding.js';
import type { WatchedKernel } from './kernel.js';
import type { Parts } from './parts.js';

const PAGE = 65536;
const MOST_PAGES = 65536;

export class WatchedRunner implements DeviceRunner {
  readonly threads = 1;
  /** To the device it is as memory that threads share: it can be read at once. */
  readonly shared = true;
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });
  readonly #allocator: Allocator;
  readonly #kernels: WatchedKernel[] = [];
  readonly #reported = new Set<string>();
  #scratch: DispatchRange = { address: 0, size: 0 };
  #words: number[] = [];
  #dead = false;

  constructor(
    private readonly hooks: RunnerHooks,
    private readonly parts: Parts,
    private readonly options: { readonly seed: number; readonly onFinding?: ((finding: Finding) => void) | undefined },
  ) {
    this.#allocator = new parts.Allocator(256, (end) => this.#reach(end));
  }

  get bytesInUse(): number {
    return this.#allocator.inUse;
  }

  allocate(size: number): Allocation | undefined {
    return this.#dead ? undefined : this.#allocator.allocate(size);
  }

  release(address: number, size: number): void {
    if (this.#dead) return;
    this.flush();
    this.#allocator.release(address, size);
  }

  addKernel(kernel: CompiledKernel): number | undefined {
    const { scratchBytes } = kernel;
    if (scratchBytes > this.#scratch.size) {
      const made = this.#allocator.allocate(scratchBytes);
      if (!made) return undefined;
      this.flush();
      if (this.#scratch.size > 0) this.#allocator.release(this.#scratch.address, this.#scratch.size);
      this.#scratch = { address: made.address, size: scratchBytes };
    }
    return this.#kernels.push(kernel as WatchedKernel) - 1;
  }

  push(words: readonly number[]): void {
    for (const word of words) this.#words.push(word);
  }

  clear(address: number, size: number): void {
    this.flush();
    if (!this.#dead) this.#bytes.fill(0, address, address + size);
  }

  write(address: number, bytes: Uint8Array): boolean {
    this.flush();
    if (!this.#dead) this.#bytes.set(bytes, address);
    return true;
  }

  flush(): boolean {
    const words = this.#words;
    this.#words = [];
    try {
      for (let at = 0; at < words.length && !this.#dead; at += words[at]! >>> 4) this.#command(words, at);
    } catch (error) {
      this.destroy();
      this.hooks.failed(`The sanitizer failed: ${error instanceof Error ? error.message : String(error)}.`);
    }
    return true;
  }

  whenDone(): Promise<void> {
    this.flush();
    return Promise.resolve();
  }

  read(address: number, size: number): ArrayBuffer {
    return this.#bytes.slice(address, address + size).buffer as ArrayBuffer;
  }

  fetch(address: number, size: number): Promise<ArrayBuffer> {
    this.flush();
    return Promise.resolve(this.read(address, size));
  }

  destroy(): void {
    this.#dead = true;
    this.#words = [];
  }

  get #bytes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }

  #reach(end: number): boolean {
    const missing = Math.ceil((end - this.#memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return true;
    try {
      this.#memory.grow(missing);
      return true;
    } catch {
      return false;
    }
  }

  #command(words: readonly number[], at: number): void {
    const [a, b, c] = [words[at + 1]!, words[at + 2]!, words[at + 3]!];
    const { layout } = this.parts;
    switch (words[at]! & 15) {
      case layout.dispatch:
        this.#dispatch(a, [c, words[at + 4]!, words[at + 5]!], words.slice(at + 7, at + (words[at]! >>> 4)));
        return;
      case layout.indirect: {
        const [x = 0, y = 0, z = 0] = new Uint32Array(this.#memory.buffer, b, 3);
        if (x <= c && y <= c && z <= c) this.#dispatch(a, [x, y, z], words.slice(at + 8, at + (words[at]! >>> 4)));
        return;
      }
      case layout.copy:
        this.#bytes.copyWithin(a, b, b + c);
        return;
      case layout.clear:
        this.#bytes.fill(0, a, a + b);
        return;
      case layout.stamp:
        new DataView(this.#memory.buffer).setBigUint64(a, BigInt(Math.round(performance.now() * 1e6)), true);
    }
  }

  #dispatch(id: number, groups: readonly [number, number, number], bound: readonly number[]): void {
    if (groups.includes(0)) return;
    runWatched({
      kernel: this.#kernels[id]!,
      groups,
      bindings: Array.from({ length: bound.length / 2 }, (_, k) => ({
        address: bound[2 * k]!,
        size: bound[2 * k + 1]!,
      })),
      memory: this.#memory.buffer,
      scratch: this.#scratch.address,
      seed: this.options.seed,
      report: (finding) => this.#report(id, finding),
    });
  }

  /** Once for each kernel, kind and place. */
  #report(id: number, finding: Finding): void {
    const places = finding.places.map(({ line, column }) => `${line}:${column}`).sort();
    const key = `${id} ${finding.kind} ${finding.variable} ${places}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    const { onFinding } = this.options;
    if (onFinding) onFinding(finding);
    else this.hooks.invalid(finding.message);
  }
}
