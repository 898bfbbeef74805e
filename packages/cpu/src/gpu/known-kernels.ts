// What a compiler has made, so that a program's next device need not wait for it again: which texts are sound, and the kernels made
// of texts. Of this process, and of earlier ones where the host keeps them.
import type { CompiledKernel } from '../compile/kernel.js';

/** A kernel, and what devices check of it. */
export interface KnownKernel {
  readonly kernel: CompiledKernel;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
}

export interface KnownText {
  /** Whether it has no messages: a text with warnings has kernels, too. */
  isSound: boolean;
  readonly kernels: Map<string, KnownKernel>;
  bytes: number;
}

/** Keeps what is known of sound texts from process to process. It may forget, and never throws. */
export interface KernelStore {
  read(text: string): KnownText | undefined;
  write(text: string, known: KnownText): void;
}

/** Bytes of texts and kernels that are kept at most: a thousand kernels or two. */
const MOST_BYTES = 16 * 2 ** 20;

/** Texts, by what was enabled and the text, and their kernels, by entry point and options. */
export class KnownKernels {
  /** Those used last are the last. */
  readonly #texts = new Map<string, KnownText>();
  #bytes = 0;

  constructor(
    private readonly store?: KernelStore | undefined,
    private readonly mostBytes: number = MOST_BYTES,
  ) {}

  isSound(text: string): boolean {
    return this.#find(text)?.isSound === true;
  }

  addSound(text: string): void {
    const known = this.#texts.get(text);
    if (known) known.isSound = true;
    else this.#keep(text, { isSound: true, kernels: new Map(), bytes: text.length });
  }

  kernel(text: string, key: string): KnownKernel | undefined {
    const known = this.#find(text);
    const found = known?.kernels.get(key);
    if (known && found) {
      this.#texts.delete(text);
      this.#texts.set(text, known);
    }
    return found;
  }

  addKernel(text: string, key: string, kernel: KnownKernel): void {
    const known = this.#texts.get(text) ?? { isSound: false, kernels: new Map(), bytes: text.length };
    if (this.#texts.delete(text)) this.#bytes -= known.bytes;
    known.kernels.set(key, kernel);
    known.bytes += key.length + kernel.kernel.wasm.byteLength;
    this.#keep(text, known);
    if (known.isSound) this.store?.write(text, known);
  }

  #find(text: string): KnownText | undefined {
    const here = this.#texts.get(text);
    if (here) return here;
    const stored = this.store?.read(text);
    if (stored) this.#keep(text, stored);
    return stored;
  }

  #keep(text: string, known: KnownText): void {
    this.#texts.set(text, known);
    this.#bytes += known.bytes;
    for (const [oldest, { bytes }] of this.#texts) {
      if (this.#bytes <= this.mostBytes || oldest === text) break;
      this.#texts.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}
