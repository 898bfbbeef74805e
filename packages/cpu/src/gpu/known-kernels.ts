// What a compiler has made in this process, so that a program's next device need not wait for it again: which texts are sound,
// and the kernels made of texts.
import type { CompiledKernel } from '../compile/kernel.js';

/** A kernel, and what devices check of it. */
export interface KnownKernel {
  readonly kernel: CompiledKernel;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
}

interface KnownText {
  /** Whether it has no messages: a text with warnings has kernels, too. */
  isSound: boolean;
  readonly kernels: Map<string, KnownKernel>;
  bytes: number;
}

/** Bytes of texts and kernels that are kept at most: a thousand kernels or two. */
const MOST_BYTES = 16 * 2 ** 20;

/** Texts, by what was enabled and the text, and their kernels, by entry point and options. */
export class KnownKernels {
  /** Those used last are the last. */
  readonly #texts = new Map<string, KnownText>();
  #bytes = 0;

  constructor(private readonly mostBytes: number = MOST_BYTES) {}

  isSound(text: string): boolean {
    return this.#texts.get(text)?.isSound === true;
  }

  addSound(text: string): void {
    const known = this.#texts.get(text);
    if (known) known.isSound = true;
    else this.#keep(text, { isSound: true, kernels: new Map(), bytes: text.length });
  }

  kernel(text: string, key: string): KnownKernel | undefined {
    const known = this.#texts.get(text);
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
