// Decoded pictures on the way: in memory as long as they are few, else in a folder of the output, so that many can be put in
// order without holding them. What a process that died has decoded is found again.
import { checkJson, type FileStore, parseJson, sha256OfPieces, writeJson } from '@paris/files';
import * as z from 'zod/mini';
import { type DataColumns, emptyColumns } from '../data/columns.js';
import type { DataFormat } from '../data/formats.js';
import { pickRows, type Rows } from '../data/rows.js';
import { Scratch } from './scratch.js';

/** Pictures of one form, by number in the order in which they were added. */
export interface PixelStore {
  /** The only column is `images`. */
  readonly format: DataFormat;
  readonly rows: Rows;
  /** For what else waits. */
  readonly scratch: Scratch;
  /** @returns the number of the picture. `key` says what its pixels were made of. */
  add(pixels: Uint8Array, key?: string): Promise<number>;
  /** The number of a picture that an earlier process added. */
  known(key: string): number | undefined;
  /** The pictures are written elsewhere: nothing of them is needed. */
  finish(): Promise<void>;
  /** To be called in the end, finished or not. */
  close(): Promise<void>;
}

/** How pictures are kept. */
export interface SpoolOptions {
  size: number;
  /** Bytes of pictures in memory at most; more are written. Default 64 MiB. */
  shardBytes?: number | undefined;
  /** What decides pixels in addition to a picture's key. Without it, what is left of an earlier process is removed. */
  settings?: string | undefined;
}

/**
 * Takes over what an earlier process left in the output, if it was made with the same settings.
 * @throws FileLockedError if another process is preparing there
 */
export async function openSpool(out: FileStore, options: SpoolOptions): Promise<PixelStore> {
  const spool = new Spool(new Scratch(out, options.settings), options);
  await spool.takeOver();
  return spool;
}

/** The columns of pictures that are nothing but pixels, u8 [3, size, size]. */
export function pixelFormat(size: number): DataFormat {
  const columns = { images: { dtype: 'u8' as const, shape: [3, size, size] } };
  const words = { maxTokens: 1, vocabulary: [], normalization: { scale: 127.5, offset: -1 } };
  return { size, channels: 3, ...words, columns };
}

/** What a file of pictures holds. It is written after the file. */
interface Chunk {
  rows: number;
  sha256: string;
  keys: string[];
}

const chunkSchema: z.ZodMiniType<Chunk> = z.object({
  rows: z.int().check(z.gte(1)),
  sha256: z.string(),
  keys: z.array(z.string()),
});

class Spool implements PixelStore {
  readonly format: DataFormat;
  readonly rows: Rows;
  readonly #area: number;
  readonly #most: number;
  /** The first row of each file, and at the end of the list that of the pictures in memory. */
  readonly #starts: number[] = [0];
  readonly #known = new Map<string, number>();
  #pending: Uint8Array[] = [];
  #keys: string[] = [];

  constructor(
    readonly scratch: Scratch,
    { size, shardBytes = 64 * 2 ** 20 }: SpoolOptions,
  ) {
    this.format = pixelFormat(size);
    this.#area = 3 * size * size;
    this.#most = Math.max(1, Math.floor(shardBytes / this.#area));
    const self = this;
    this.rows = {
      get count() {
        return self.#count;
      },
      read: (from, count) => this.#read(from, count),
    };
  }

  known(key: string): number | undefined {
    return this.#known.get(key);
  }

  async add(pixels: Uint8Array, key = ''): Promise<number> {
    const row = this.#count;
    this.#pending.push(pixels);
    this.#keys.push(key);
    if (this.#pending.length >= this.#most) await this.#flush();
    return row;
  }

  async finish(): Promise<void> {
    await this.scratch.finish();
  }

  async close(): Promise<void> {
    await this.scratch.close();
  }

  async takeOver(): Promise<void> {
    if (!(await this.scratch.takeOver())) return;
    for (;;) {
      const at = this.#starts.length - 1;
      const chunk = await this.#readChunk(at);
      if (!chunk) break;
      const start = this.#starts[at]!;
      for (const [i, key] of chunk.keys.entries()) if (key !== '') this.#known.set(key, start + i);
      this.#starts.push(start + chunk.rows);
    }
  }

  get #count(): number {
    return this.#starts.at(-1)! + this.#pending.length;
  }

  async #flush(): Promise<void> {
    await this.scratch.begin();
    const [at, { store }] = [this.#starts.length - 1, this.scratch];
    const rows = this.#pending.length;
    await store.write(`${name(at)}.pixels`, this.#pending);
    const sha256 = await sha256OfPieces(this.#pending);
    // Last the file that says that pictures are whole.
    await writeJson(store, `${name(at)}.json`, { rows, sha256, keys: this.#keys } satisfies Chunk);
    this.#starts.push(this.#starts.at(-1)! + rows);
    [this.#pending, this.#keys] = [[], []];
  }

  /** What was written to a file, if all of it is there. */
  async #readChunk(at: number): Promise<Chunk | undefined> {
    const [json, pixels] = [`${name(at)}.json`, `${name(at)}.pixels`];
    const { store } = this.scratch;
    if (!(await store.exists(json)) || !(await store.exists(pixels))) return undefined;
    try {
      const origin = { tag: 'prepare', path: json };
      const chunk = checkJson(parseJson(await store.read(json), origin), chunkSchema, origin);
      const isWhole = (await store.size(pixels)) === chunk.rows * this.#area && chunk.keys.length === chunk.rows;
      return isWhole && (await sha256OfPieces([await store.read(pixels)])) === chunk.sha256 ? chunk : undefined;
    } catch {
      return undefined; // it is decoded again
    }
  }

  async #read(from: number, wanted: number): Promise<DataColumns> {
    const columns = emptyColumns(this.format, wanted);
    for (let at = 0; at < this.#starts.length - 1; at++) {
      const [start, end] = [this.#starts[at]!, this.#starts[at + 1]!];
      const [first, last] = [Math.max(from, start), Math.min(from + wanted, end)];
      if (first >= last) continue;
      const range = { offset: (first - start) * this.#area, length: (last - first) * this.#area };
      columns.images!.set(await this.scratch.store.read(`${name(at)}.pixels`, range), (first - from) * this.#area);
    }
    const start = this.#starts.at(-1)!;
    for (let row = Math.max(from, start); row < from + wanted; row++) {
      columns.images!.set(this.#pending[row - start]!, (row - from) * this.#area);
    }
    return columns;
  }
}

function name(at: number): string {
  return String(at).padStart(5, '0');
}

/** Pictures that are in rows already: nothing is added to them. @throws FileLockedError if another process is preparing in the output */
export async function storedPixels(rows: Rows, format: DataFormat, out: FileStore): Promise<PixelStore> {
  const scratch = new Scratch(out, undefined);
  await scratch.takeOver();
  const add = () => {
    throw new TypeError('these pictures are there already');
  };
  return {
    ...{ format, rows, scratch, add },
    known: () => undefined,
    finish: () => scratch.finish(),
    close: () => scratch.close(),
  };
}

/** The pictures of a store by their numbers, as rows. */
export function picked({ rows, format }: PixelStore, numbers: ArrayLike<number>): Rows {
  return pickRows(rows, format, numbers);
}
