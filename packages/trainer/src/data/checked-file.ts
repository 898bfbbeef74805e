// A file whose bytes are checked whenever they are read, not only the first time: while a training runs for days, somebody may
// exchange the file, or write other bytes into it. Hashing all of it for every row would cost too much, so the pass that compares its
// SHA-256 keeps 64 bits of each block of 4 KiB, and what is read later must have them. These find accidents: against one who
// chooses bytes to have the same 64 bits they are no protection, as little as one who can write the data needs any.
import { type FileSource, sha256OfPieces } from '@paris/files';
import { spans } from './spans.js';

/** Bytes of a block: about what a disk reads at once. Spans are a whole number of them. */
const blockBytes = 4096;

/** The sums of a file's blocks, two words for each. */
export class BlockSums {
  private readonly sums: Uint32Array;

  /** @param size - of the file */
  constructor(private readonly size: number) {
    this.sums = new Uint32Array(2 * Math.ceil(size / blockBytes));
  }

  /** The SHA-256 of a file; the sums are of the very bytes that it is of. */
  async pass(store: FileSource, path: string): Promise<string> {
    return sha256OfPieces(this.note(spans(store, path, this.size)));
  }

  /** The file, with all that is read of it compared with the sums. `damaged` is thrown for what is not the same. */
  checked(store: FileSource, path: string, damaged: () => Error): FileSource {
    return {
      ...store,
      size: async () => this.size,
      read: async (_, range = { offset: 0, length: this.size }) => {
        const from = blockBytes * Math.floor(range.offset / blockBytes);
        const end = Math.min(this.size, blockBytes * Math.ceil((range.offset + range.length) / blockBytes));
        const bytes = await store.read(path, { offset: from, length: end - from });
        const first = (2 * from) / blockBytes;
        if (sumsOf(bytes).some((sum, i) => sum !== this.sums[first + i])) throw damaged();
        // A copy: views of any element size fit on it.
        return bytes.slice(range.offset - from, range.offset - from + range.length);
      },
    };
  }

  private async *note(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let at = 0;
    for await (const piece of pieces) {
      const sums = sumsOf(piece);
      this.sums.set(sums, at);
      at += sums.length;
      yield piece;
    }
  }
}

/** Two words for each block of bytes that begin with one. */
function sumsOf(bytes: Uint8Array): Uint32Array {
  const sums = new Uint32Array(2 * Math.ceil(bytes.length / blockBytes));
  const words = wordsOf(bytes);
  for (let block = 0; block < sums.length / 2; block++) {
    const end = Math.min(words.length, ((block + 1) * blockBytes) / 4);
    let [a, b] = [0x9e3779b9 | 0, 0x85ebca6b | 0];
    // Each line is reversible in the word and in what came before: one changed word is always seen.
    for (let at = (block * blockBytes) / 4; at < end; at++) {
      a = Math.imul(a ^ words[at]!, 0xcc9e2d51);
      a = (a << 15) | (a >>> 17);
      b = Math.imul(b + words[at]!, 0x1b873593);
      b = (b << 13) | (b >>> 19);
    }
    sums.set([a, b], 2 * block);
  }
  return sums;
}

/** The bytes in words, zeros after the last. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const padded = new Uint8Array(4 * Math.ceil(bytes.length / 4));
  padded.set(bytes);
  return new Uint32Array(padded.buffer);
}
