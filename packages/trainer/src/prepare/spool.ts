// Decoded pictures on the way: in memory as long as they are few, else in a folder of the output, so that many can be put in
// order without holding them. What a process that died has decoded is found again.
import { checkJson, entriesOf, type FileStore, parseJson, sha256OfPieces, writeJson } from '@paris/files';
import * as z from 'zod/mini';
import { type DataColumns, emptyColumns } from '../data/columns.js';
import type { DataFormat } from '../data/formats.js';
import { pickRows, type Rows } from '../data/rows.js';
import { PREPARATION } from '../output/kinds.js';

/** Pictures of one form, by number in the order in which they were added. */
export interface PixelStore {
  /** The only column is `images`. */
  readonly format: DataFormat;
  readonly rows: Rows;
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
  const spool = new Spool(out, options);
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

const INDEX = `${PREPARATION}/${PREPARATION}.json`;
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
  #release: (() => Promise<void>) | undefined;

  constructor(
    private readonly out: FileStore,
    private readonly options: SpoolOptions,
  ) {
    const { size, shardBytes = 64 * 2 ** 20 } = options;
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
    if (this.#starts.length > 1) await this.#clear();
  }

  async close(): Promise<void> {
    await this.#release?.();
  }

  async takeOver(): Promise<void> {
    if ((await entriesOf(this.out, PREPARATION)).length === 0) return;
    await this.#lock();
    if (!(await this.#isOurs())) return this.#clear();
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

  async #isOurs(): Promise<boolean> {
    const { settings } = this.options;
    const said = (await this.out.exists(INDEX)) ? await this.out.read(INDEX) : new Uint8Array();
    return settings !== undefined && new TextDecoder().decode(said) === this.#said();
  }

  #said(): string {
    return `${JSON.stringify({ format: PREPARATION, version: 1, settings: this.options.settings ?? '' })}\n`;
  }

  async #flush(): Promise<void> {
    if (!this.#release) await this.#lock();
    const at = this.#starts.length - 1;
    // First the file that says whose the folder is, last the one that says that pictures are whole.
    if (at === 0) await this.out.write(INDEX, new TextEncoder().encode(this.#said()));
    const rows = this.#pending.length;
    await this.out.write(`${name(at)}.pixels`, this.#pending);
    const sha256 = await sha256OfPieces(this.#pending);
    await writeJson(this.out, `${name(at)}.json`, { rows, sha256, keys: this.#keys } satisfies Chunk);
    this.#starts.push(this.#starts.at(-1)! + rows);
    [this.#pending, this.#keys] = [[], []];
  }

  /** What was written to a file, if all of it is there. */
  async #readChunk(at: number): Promise<Chunk | undefined> {
    const [json, pixels] = [`${name(at)}.json`, `${name(at)}.pixels`];
    if (!(await this.out.exists(json)) || !(await this.out.exists(pixels))) return undefined;
    try {
      const origin = { tag: 'prepare', path: json };
      const chunk = checkJson(parseJson(await this.out.read(json), origin), chunkSchema, origin);
      const isWhole = (await this.out.size(pixels)) === chunk.rows * this.#area && chunk.keys.length === chunk.rows;
      return isWhole && (await sha256OfPieces([await this.out.read(pixels)])) === chunk.sha256 ? chunk : undefined;
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
      columns.images!.set(await this.out.read(`${name(at)}.pixels`, range), (first - from) * this.#area);
    }
    const start = this.#starts.at(-1)!;
    for (let row = Math.max(from, start); row < from + wanted; row++) {
      columns.images!.set(this.#pending[row - start]!, (row - from) * this.#area);
    }
    return columns;
  }

  async #lock(): Promise<void> {
    const lock = await this.out.lock(PREPARATION);
    this.#release = () => lock.release();
  }

  /** The file that says whose the folder is goes last. */
  async #clear(): Promise<void> {
    for (const path of await this.out.list(PREPARATION)) if (path !== INDEX) await this.out.remove(path);
    await this.out.remove(PREPARATION);
  }
}

function name(at: number): string {
  return `${PREPARATION}/${String(at).padStart(5, '0')}`;
}

/** Pictures that are in rows already: nothing is added to them. */
export function storedPixels(rows: Rows, format: DataFormat): PixelStore {
  const add = () => {
    throw new TypeError('these pictures are there already');
  };
  const nothing = async () => {};
  return { format, rows, add, known: () => undefined, finish: nothing, close: nothing };
}

/** The pictures of a store by their numbers, as rows. */
export function picked({ rows, format }: PixelStore, numbers: ArrayLike<number>): Rows {
  return pickRows(rows, format, numbers);
}
