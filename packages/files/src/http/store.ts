import { FileChangedError, notFound, refusedBy, StoreError } from '../errors.js';
import { type ByteRange, checkRange, type FileSource, type ReadOptions } from '../stores/store.js';
import { cancelBody, readBody } from './body.js';
import { type Requester, type RequestOptions, requesterOf } from './request.js';

/** Options of {@link httpStore}. */
export interface HttpStoreOptions extends RequestOptions {
  /**
   * The largest file that is taken whole where a reader states no `maxBytes` of its own. Default 256 MiB. Spans are not
   * affected, but on a server that answers with the whole file to a span.
   */
  readonly maxFileBytes?: number;
}

const defaultMaxFileBytes = 256 * 2 ** 20;

/**
 * The files below a URL. Spans are asked for by `Range`; `If-Range` with the file's entity tag (RFC 9110,
 * §13.1.5) makes sure that all spans are of one version of it. A server that answers with the whole file instead is
 * taken at its word: the file last read so is kept, so that its other spans cost no further download.
 *
 * No more is taken from the server than was asked for: the download ends with a FileTooLargeError at the first byte beyond the
 * span, the reader's `maxBytes` or `maxFileBytes`. A user and a password in the URL are sent as basic authentication;
 * they, `headers` and the URL's query are in no error, and headers do not follow redirects to another origin.
 * @param url - the folder, absolute or, in a browser, relative to the page
 */
export function httpStore(url: string | URL, options: HttpStoreOptions = {}): FileSource {
  const files = new HttpFiles(requesterOf(url, options), options);
  return {
    read: (path, range, limits) => files.read(path, range, limits),
    size: (path) => files.size(path),
    exists: (path) => files.exists(path),
  };
}

/** Bytes that arrived, and the size of the file they are of: NaN where the server does not say it. */
interface Loaded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

class HttpFiles {
  readonly #get: Requester;
  readonly #signal: AbortSignal | undefined;
  readonly #maxFileBytes: number;
  /** The version of each file, as the server tags it. */
  readonly #tags = new Map<string, string>();
  /** The file that a server sent whole, in place of a span. */
  #kept: { path: string; bytes: Uint8Array<ArrayBuffer> } | undefined;

  constructor(get: Requester, { signal, maxFileBytes = defaultMaxFileBytes }: HttpStoreOptions) {
    this.#get = get;
    this.#signal = signal;
    this.#maxFileBytes = maxFileBytes;
  }

  async read(path: string, range?: ByteRange, limits?: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    if (!range) return (await this.#load(path, undefined, limits)).bytes;
    checkRange(path, range, Number.MAX_SAFE_INTEGER);
    if (range.length === 0) {
      checkRange(path, range, await this.size(path)); // no bytes cannot be asked for
      return new Uint8Array(0);
    }
    const { bytes, size } = await this.#load(path, range, limits);
    if (bytes.length === range.length) return bytes;
    checkRange(path, range, Number.isNaN(size) ? range.offset + bytes.length : size);
    throw new StoreError('store', `the server sent ${bytes.length} bytes of "${path}" for ${range.length}.`);
  }

  async size(path: string): Promise<number> {
    // Not HEAD: its Content-Length may be that of a compressed body, and some servers refuse it.
    const { size } = await this.#load(path, { offset: 0, length: 1 });
    return Number.isNaN(size) ? (await this.#load(path)).size : size;
  }

  async exists(path: string): Promise<boolean> {
    if (this.#kept?.path === path) return true;
    const response = await this.#get(path, { range: 'bytes=0-0' });
    await cancelBody(response);
    if (response.ok || response.status === 416) return true;
    if (isMissing(response)) return false;
    throw await refusal(path, response);
  }

  /** What there is of a span, or of the whole file: the caller's own bytes. */
  async #load(path: string, range?: ByteRange, limits?: ReadOptions): Promise<Loaded> {
    if (this.#kept?.path === path) return partOf(this.#kept.bytes, range);
    const response = await this.#get(path, range ? spanHeaders(range, this.#tags.get(path)) : {});
    if (range && response.status !== 200) return this.#span(path, range, response);
    if (response.status !== 200) throw await refusal(path, response);
    this.#checkVersion(path, response);
    const maxBytes = limits?.maxBytes ?? this.#maxFileBytes;
    const larger = 'larger maxFileBytes of httpStore allows it.';
    const whole = range ? `It knows no ranges: download the file first; in code a ${larger}` : `A ${larger}`;
    const fix = limits?.maxBytes === undefined ? whole : '';
    const bytes = await this.#bytes(path, response, maxBytes, fix);
    if (!range) return { bytes, size: bytes.length };
    this.#kept = { path, bytes };
    return partOf(bytes, range);
  }

  /** The server's answer to a span, where it is not the whole file. */
  async #span(path: string, range: ByteRange, response: Response): Promise<Loaded> {
    const contentRange = response.headers.get('content-range') ?? '';
    const size = Number(/\/(\d+)$/.exec(contentRange)?.[1] ?? Number.NaN);
    if (response.status === 416 && !Number.isNaN(size)) {
      await cancelBody(response);
      return { bytes: new Uint8Array(0), size };
    }
    if (response.status !== 206) throw await refusal(path, response);
    this.#checkVersion(path, response);
    const start = Number(/^bytes (\d+)-/.exec(contentRange)?.[1] ?? Number.NaN);
    if (start === range.offset) return { bytes: await this.#bytes(path, response, range.length), size };
    await cancelBody(response);
    throw new StoreError('store', `the server sent "${contentRange}" of "${path}" for bytes from ${range.offset}.`);
  }

  #bytes(path: string, response: Response, maxBytes: number, fix?: string): Promise<Uint8Array<ArrayBuffer>> {
    return readBody(response, { path, maxBytes, signal: this.#signal, ...(fix && { fix }) });
  }

  /** Notes the version of a file; spans of two versions never come back as one file. */
  #checkVersion(path: string, response: Response): void {
    const tag = response.headers.get('etag');
    const known = this.#tags.get(path);
    if (tag && known && tag !== known) {
      this.#tags.delete(path);
      if (this.#kept?.path === path) this.#kept = undefined;
      void cancelBody(response);
      throw new FileChangedError(
        'store',
        `"${path}" changed on the server while it was read. Read it again from the start.`,
      );
    }
    if (tag) this.#tags.set(path, tag);
  }
}

/** A copy: the file that is kept stays whole. */
function partOf(file: Uint8Array<ArrayBuffer>, range?: ByteRange): Loaded {
  return { bytes: file.slice(range?.offset, range && range.offset + range.length), size: file.length };
}

function spanHeaders({ offset, length }: ByteRange, tag = 'W/'): Record<string, string> {
  const span = { range: `bytes=${offset}-${offset + length - 1}` };
  return tag.startsWith('W/') ? span : { ...span, 'if-range': tag }; // weak tags are not allowed there
}

function isMissing({ status }: Response): boolean {
  return status === 404 || status === 410;
}

async function refusal(path: string, response: Response): Promise<StoreError> {
  await cancelBody(response);
  if (isMissing(response)) return notFound(path);
  const { status, headers } = response;
  return refusedBy(status, `the server answered ${status} to "${path}". Check the address and access.`, headers);
}
