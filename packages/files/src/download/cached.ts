// Files of a server, kept as they arrive: a download resumes where it ended, whatever ended it, and needs no server once it
// is whole.
import { FileTooLargeError, notFound, refusedBy, StoreError, UnavailableError, ValueError } from '../errors.js';
import { withoutSecrets } from '../http/address.js';
import { type Requester, type RequestOptions, requesterOf } from '../http/request.js';
import { sleep } from '../sleep.js';
import { type ByteRange, checkRange, type FileLock, type FileSource, type ReadOptions } from '../stores/store.js';
import { timeLeft } from './pace.js';
import { type Answer, askPatiently, type Patience, type Version, type Wanted } from './patience.js';
import { type DownloadCache, Records } from './records.js';

/** Options of {@link cachedStore}. */
export interface CachedStoreOptions extends RequestOptions, Patience {
  /** Called as bytes arrive that were not kept before. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** How much is asked for, hashed and kept at a time. Default 16 MiB. */
  readonly partBytes?: number;
  /** The largest file that is taken whole where a reader states no `maxBytes` of its own. Default 256 MiB. */
  readonly maxFileBytes?: number;
}

/** More parts than these would be a file of 16 TiB. */
const maxParts = 2 ** 20;

/** How far a file is. */
export interface DownloadProgress {
  readonly path: string;
  /** What is kept of it, and what has arrived of the part under way. */
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** At the pace of the last ten seconds; undefined until that means something. */
  readonly secondsLeft: number | undefined;
}

/**
 * The files below a URL, kept in a store: in parts, each named by its SHA-256, so that equal parts are kept once and a damaged
 * one is noticed and fetched again. Several processes may share the store; each part is fetched by one of them. A file is asked
 * about once by each store: if it changed on the server (its entity tag, else its date, or its size; without tag and date always),
 * it is fetched again; if no server answers, what is kept is used.
 *
 * A broken or silent connection, a server that is busy (429, with its Retry-After) or fails (5xx) is asked again; each part that
 * arrived stays. Of a server that sends all of a file for a span of it, all is taken at once. Where the server states the SHA-256
 * of a file (`Repr-Digest` of RFC 9530, or a hub's `X-Linked-ETag`), the last part is given to nobody before the whole agrees.
 * Tokens: see `httpStore`.
 * @param url - the folder, absolute or, in a browser, relative to the page
 * @param cache - where files are kept: a folder of this machine, memory, or `browserCache()`
 * @throws ValueError if `partBytes` is no whole number from 1 on; what `httpStore` throws for addresses and headers
 */
export function cachedStore(url: string | URL, cache: DownloadCache, options: CachedStoreOptions = {}): FileSource {
  const { partBytes = 1 } = options;
  if (!Number.isSafeInteger(partBytes) || partBytes < 1) {
    throw new ValueError('cachedStore', `partBytes is ${partBytes}. Give a whole number from 1 on.`);
  }
  const files = new CachedFiles(requesterOf(url, options), new Records(cache, withoutSecrets(url)), options);
  return {
    read: (path, range, limits) => files.read(path, range, limits),
    size: async (path) => (await files.find(path)).sizeBytes,
    exists: (path) => files.exists(path),
  };
}

/** What is known of a file. */
export interface CachedFile extends Version {
  readonly path: string;
  /** Of the whole, where the server states it. */
  readonly sha256: string | null;
  readonly partBytes: number;
  /** The hash of each part; null for those that have not arrived. */
  parts: (string | null)[];
}

class CachedFiles {
  readonly #get: Requester;
  readonly #records: Records;
  readonly #options: CachedStoreOptions;
  readonly #known = new Map<string, Promise<CachedFile | undefined>>();
  #isReached = false;
  /** Files whose lock nobody works under: it is not waited for again. */
  readonly #deserted = new Set<string>();
  readonly #reports = new Map<string, (loadedBytes: number, isWhole: boolean) => void>();

  constructor(get: Requester, records: Records, options: CachedStoreOptions) {
    this.#get = get;
    this.#records = records;
    this.#options = options;
  }

  async exists(path: string): Promise<boolean> {
    return (await this.#ask(path)) !== undefined;
  }

  async find(path: string): Promise<CachedFile> {
    const file = await this.#ask(path);
    if (!file) throw notFound(path);
    return file;
  }

  async read(path: string, range?: ByteRange, limits: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const file = await this.find(path);
    const { offset, length } = range ?? { offset: 0, length: file.sizeBytes };
    // Of a span, too: a server may send the whole in its place.
    const maxBytes = limits.maxBytes ?? (range ? Number.POSITIVE_INFINITY : this.#maxFileBytes);
    if (file.sizeBytes > maxBytes) {
      const what = `"${path}" has ${file.sizeBytes} bytes, more than the ${maxBytes} that are taken.`;
      throw new FileTooLargeError(what, file.sizeBytes);
    }
    checkRange(path, { offset, length }, file.sizeBytes);
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const place = offset + done;
      const part = await this.#part(file, Math.floor(place / file.partBytes));
      const piece = part.subarray(place % file.partBytes).subarray(0, length - done);
      out.set(piece, done);
      done += piece.length;
    }
    return out;
  }

  get #maxFileBytes(): number {
    return this.#options.maxFileBytes ?? 256 * 2 ** 20;
  }

  /** What the server says of a file, or, if it says nothing, what was known of it; undefined if there is no such file. */
  #ask(path: string): Promise<CachedFile | undefined> {
    const known = this.#known.get(path) ?? this.#look(path);
    this.#known.set(path, known);
    known.catch(() => this.#known.delete(path));
    return known;
  }

  async #look(path: string): Promise<CachedFile | undefined> {
    await this.#records.use(path);
    const kept = await this.#records.read(path);
    // What is kept will do: a server that does not answer is not waited for.
    const patience = kept ? { attempts: 1 } : {};
    let sha256: string | null = null;
    const onHeaders = (headers: Headers) => {
      sha256 = statedHash(headers) ?? sha256;
    };
    const span = { path, range: { offset: 0, length: 1 }, onHeaders };
    const answer = await this.#request(span, null, patience).catch((error) => {
      if (error instanceof UnavailableError && kept !== undefined) return undefined; // offline
      throw error;
    });
    if (answer === undefined) return kept?.sizeBytes === -1 ? undefined : kept;
    const { status, tag, sizeBytes } = answer;
    if (status === 404 || status === 410) {
      await this.#records.write({ path, tag: null, sha256: null, sizeBytes: -1, partBytes: 1, parts: [] });
      return undefined;
    }
    if (status !== 200 && status !== 206 && !(status === 416 && sizeBytes === 0)) throw refusal(path, status);
    if (kept && tag !== null && kept.tag === tag && kept.sizeBytes === sizeBytes && kept.sha256 === sha256) return kept;
    const { partBytes = 16 * 2 ** 20 } = this.#options;
    const count = Math.ceil(sizeBytes / partBytes);
    if (count > maxParts) {
      throw new StoreError('store', `the server claims ${sizeBytes} bytes of "${path}", which is not believed.`);
    }
    const parts = new Array<string | null>(count).fill(null);
    const file: CachedFile = { path, tag, sha256, sizeBytes, partBytes, parts };
    await this.#records.write(file);
    return file;
  }

  async #part(file: CachedFile, index: number): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await this.#kept(file, index);
    if (kept) return kept;
    const lock = await this.#turn(file, index);
    try {
      return (await this.#kept(file, index)) ?? (await this.#fetch(file, index));
    } finally {
      await lock?.release();
    }
  }

  async #kept(
    { parts, sizeBytes, partBytes }: CachedFile,
    index: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const hash = parts[index];
    const bytes = hash ? await this.#records.part(hash) : undefined;
    // Of a damaged record: parts of another size lie elsewhere in the file.
    return bytes?.length === Math.min(partBytes, sizeBytes - index * partBytes) ? bytes : undefined;
  }

  /**
   * Waits while another fetches parts of the file: until it is this one's turn, the part is there, or the other one has brought
   * nothing for so long that it may as well be dead.
   */
  async #turn(file: CachedFile, index: number): Promise<FileLock | undefined> {
    const { stallMs = 30_000, signal } = this.#options;
    const arrived = () => file.parts.filter((part) => part !== null).length;
    let [seen, since] = [arrived(), performance.now()];
    for (;;) {
      const lock = await this.#records.lock(file.path);
      await this.#records.refresh(file);
      if (lock || file.parts[index] || this.#deserted.has(file.path)) return lock;
      if (performance.now() - since > stallMs) this.#deserted.add(file.path);
      if (arrived() !== seen) [seen, since] = [arrived(), performance.now()];
      await sleep(50, signal);
    }
  }

  async #fetch(file: CachedFile, index: number): Promise<Uint8Array<ArrayBuffer>> {
    const { path, partBytes, sizeBytes, tag } = file;
    const offset = index * partBytes;
    const range = { offset, length: Math.min(partBytes, sizeBytes - offset) };
    const before = loadedBytes(file) - (file.parts[index] ? range.length : 0);
    const answer = await this.#request(
      {
        ...{ path, range },
        check: (version) => this.#checkVersion(file, version),
        onBytes: (received) => this.#report(file, before + received, received === range.length),
        whole: {
          pieceBytes: partBytes,
          take: async (at, bytes) => {
            if (at !== index && !file.parts[at]) await this.#keep(file, at, bytes);
          },
        },
      },
      tag,
    );
    if (answer.status !== 200 && answer.status !== 206) throw refusal(path, answer.status);
    await this.#keep(file, index, answer.bytes);
    return answer.bytes;
  }

  /** @throws StoreError if the file is another one than was asked about */
  #checkVersion({ path, tag, sizeBytes }: CachedFile, version: Version): void {
    if (version.tag === tag && version.sizeBytes === sizeBytes) return;
    this.#known.delete(path);
    throw new UnavailableError(
      'store',
      `"${path}" changed on the server while it was read. Read it again from the start.`,
    );
  }

  /** Keeps a part. The last one of a file whose hash is stated is noted once the whole agrees. */
  async #keep(file: CachedFile, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const hash = await this.#records.keep(bytes);
    if (file.sha256 !== null) {
      await this.#records.refresh(file);
      const parts = file.parts.map((part, i) => (i === index ? hash : part));
      if (parts.every((part) => part !== null)) await this.#checkWhole(file, parts);
    }
    await this.#records.note(file, index, hash);
  }

  /** @throws StoreError if the parts are not the file that the server stated; then none counts as kept */
  async #checkWhole(file: CachedFile, parts: readonly string[]): Promise<void> {
    const { sha256OfPieces } = await import('../whole-hash.js');
    const records = this.#records;
    let isWhole = true;
    async function* pieces() {
      for (const part of parts) {
        const bytes = await records.part(part);
        if (bytes) yield bytes;
        else {
          isWhole = false; // damaged: it is fetched again when it is read, and this comes after that
          return;
        }
      }
    }
    const found = await sha256OfPieces(pieces());
    if (!isWhole || found === file.sha256) return;
    this.#known.delete(file.path);
    file.parts = file.parts.map(() => null);
    await this.#records.write(file);
    const what = `"${file.path}" arrived with another SHA-256 than the server states`;
    throw new StoreError('store', `${what}: it was damaged on its way, or there. Download it again.`);
  }

  /** At most ten times a second, and when a part is whole. */
  #report({ path, sizeBytes }: CachedFile, loadedBytes: number, isWhole: boolean): void {
    const { onProgress } = this.#options;
    if (!onProgress) return;
    let report = this.#reports.get(path);
    if (!report) {
      const left = timeLeft();
      let last = Number.NEGATIVE_INFINITY;
      report = (loadedBytes, isWhole) => {
        if (!isWhole && performance.now() - last < 100) return;
        last = performance.now();
        onProgress({ path, loadedBytes, totalBytes: sizeBytes, secondsLeft: left(loadedBytes, sizeBytes) });
      };
      this.#reports.set(path, report);
    }
    report(loadedBytes, isWhole);
  }

  #request(
    {
      onHeaders,
      ...wanted
    }: Omit<Wanted, 'ask' | 'tagOf' | 'maxFileBytes' | 'isReached'> & { onHeaders?: (headers: Headers) => void },
    tag: string | null,
    patience: Patience = {},
  ): Promise<Answer> {
    const { path, range } = wanted;
    const span = { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const isStrong = tag?.startsWith('"');
    /** What a hub that redirects says of the file: the tag of the place that it leads to may differ from time to time. */
    let linked: string | null = null;
    const ask = async (signal: AbortSignal) => {
      linked = null;
      const onRedirect = (headers: Headers) => {
        onHeaders?.(headers);
        linked = headers.get('x-linked-etag') ?? linked;
      };
      const response = await this.#get(path, isStrong ? { ...span, 'if-range': tag! } : span, { signal, onRedirect });
      this.#isReached = true;
      onHeaders?.(response.headers);
      return response;
    };
    const tagOf = (headers: Headers) =>
      linked !== null ? `linked ${linked}` : (headers.get('etag') ?? headers.get('last-modified'));
    return askPatiently(
      { ...wanted, ask, tagOf, maxFileBytes: this.#maxFileBytes, isReached: this.#isReached },
      { ...this.#options, ...patience },
    );
  }
}

function loadedBytes({ parts, partBytes, sizeBytes }: CachedFile): number {
  return parts.reduce((sum, part, i) => sum + (part ? Math.min(partBytes, sizeBytes - i * partBytes) : 0), 0);
}

/** The SHA-256 of a whole file, in hexadecimal, where a server or a hub states it. */
function statedHash(headers: Headers): string | undefined {
  const [, base64] = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(headers.get('repr-digest') ?? '') ?? [];
  if (base64) return Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return /^"?([0-9a-f]{64})"?$/.exec(headers.get('x-linked-etag') ?? '')?.[1];
}

function refusal(path: string, status: number): StoreError {
  const isDenied = status === 401 || status === 403;
  const fix = isDenied ? 'Give a token that may read it: HF_TOKEN for a hub, else headers' : 'Check the address';
  return refusedBy(status, `the server answered ${status} to "${path}". ${fix}.`);
}
