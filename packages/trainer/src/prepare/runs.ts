// Sorted pieces of a list that is too long for memory, in a file each, and what they are together: of each piece only the next few
// lines are held.
import type { FileStore } from '@paris/files';
import type { DataItem } from '../data/formats.js';

/** What is said of a picture, and as how manieth it came. */
export interface Spooled {
  readonly at: number;
  readonly item: DataItem;
}

/** The order of a list. */
export type Order = (a: Spooled, b: Spooled) => number;

/** A file of items in order. */
export interface Run {
  readonly file: string;
  readonly bytes: number;
}

/** Writes a piece, which is in order. */
export async function writeRun(store: FileStore, file: string, items: readonly Spooled[]): Promise<Run> {
  const bytes = encoder.encode(items.map(({ at, item }) => `${JSON.stringify([at, item])}\n`).join(''));
  await store.write(file, bytes);
  return { file, bytes: bytes.length };
}

/** All items of the pieces, in order. */
export async function* mergeRuns(store: FileStore, runs: readonly Run[], order: Order): AsyncGenerator<Spooled> {
  const block = Math.max(LEAST_BLOCK, Math.min(MOST_BLOCK, Math.floor(BLOCKS / runs.length)));
  const heap = runs.map((run) => new Cursor(store, run, block));
  for (const cursor of heap) await cursor.advance();
  heap.sort((a, b) => order(a.head!, b.head!)); // what is sorted is a heap
  while (heap.length > 0) {
    const [first] = heap;
    yield first!.head!;
    const read = first!.advance();
    if (read) await read;
    if (!first!.head) {
      const last = heap.pop()!;
      if (last !== first) heap[0] = last;
    }
    sink(heap, (a, b) => order(a.head!, b.head!) < 0);
  }
}

/** Bytes that are read of all pieces together, and of one at most and at least. */
const [BLOCKS, MOST_BLOCK, LEAST_BLOCK] = [4 * 2 ** 20, 64 * 2 ** 10, 4 * 2 ** 10];

/** Brings the first of a heap, which may be too large for it, to its place. */
function sink<T>(heap: T[], isBefore: (a: T, b: T) => boolean): void {
  for (let at = 0; ; ) {
    let least = at;
    for (const below of [2 * at + 1, 2 * at + 2]) {
      if (below < heap.length && isBefore(heap[below]!, heap[least]!)) least = below;
    }
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least]!, heap[at]!];
    at = least;
  }
}

/** A piece, from its first item to its last. */
class Cursor {
  /** The item that it is at; undefined before the first {@link advance} and after the last item. */
  head: Spooled | undefined;
  #read: Spooled[] = [];
  #at = 0;
  #offset = 0;

  constructor(
    private readonly store: FileStore,
    private readonly run: Run,
    private readonly block: number,
  ) {}

  /** Goes to the next item. @returns what is to be waited for, if that is not read yet */
  advance(): Promise<void> | undefined {
    if (this.#at === this.#read.length && this.#offset < this.run.bytes) return this.#fill();
    this.head = this.#read[this.#at++];
    return undefined;
  }

  /** Reads as many whole lines as a block has, or one. */
  async #fill(): Promise<void> {
    const { file, bytes: size } = this.run;
    for (let length = this.block; ; length *= 2) {
      const wanted = Math.min(length, size - this.#offset);
      const bytes = await this.store.read(file, { offset: this.#offset, length: wanted });
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end === 0 && this.#offset + wanted < size) continue;
      const lines = decoder.decode(bytes.subarray(0, end)).trimEnd().split('\n');
      this.#read = lines.map((line) => {
        const [at, item] = JSON.parse(line) as [number, DataItem];
        return { at, item };
      });
      this.#offset += end;
      this.#at = 1;
      this.head = this.#read[0];
      return;
    }
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NEWLINE = 10;
