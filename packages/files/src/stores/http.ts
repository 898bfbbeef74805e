import { notFound, StoreError } from '../errors.js';
import { type ByteRange, checkPath, checkRange, type FileSource } from './store.js';

/** Options of {@link httpStore}. */
export interface HttpStoreOptions {
  /** Sent with each request: for a token, say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends requests under way, which then reject with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The platform's `fetch` unless given. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * The files below a URL. Spans are asked for by `Range`; `If-Range` with the file's entity tag (RFC 9110,
 * §13.1.5) makes sure that all spans are of one version of it. A server that answers with the whole file instead is
 * taken at its word: the file last read so is kept, so that its other spans cost no further download.
 * @param url - the folder, absolute or, in a browser, relative to the page
 */
export function httpStore(url: string | URL, options: HttpStoreOptions = {}): FileSource {
  const { headers = {}, signal, fetch = globalThis.fetch } = options;
  const base = parseUrl(url);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const tags = new Map<string, string>();
  let kept: { path: string; bytes: Uint8Array<ArrayBuffer> } | undefined;

  const get = async (path: string, extra: Record<string, string>): Promise<Response> => {
    const target = new URL(base);
    target.pathname += checkPath(path).split('/').map(encodeURIComponent).join('/');
    try {
      return await fetch(target, { headers: { ...headers, ...extra }, ...(signal && { signal }) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new StoreError('store', `"${path}" could not be fetched from ${base.href}. Is the server up?`, { cause });
    }
  };
  const bytesOf = async (path: string, response: Response): Promise<Uint8Array<ArrayBuffer>> => {
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      signal?.throwIfAborted();
      throw new StoreError('store', `the connection broke while "${path}" was read. Try again.`, { cause });
    }
  };
  /** Notes the version of a file; spans of two versions never come back as one file. */
  const checkVersion = (path: string, response: Response) => {
    const tag = response.headers.get('etag');
    const known = tags.get(path);
    if (tag && known && tag !== known) {
      tags.delete(path);
      if (kept?.path === path) kept = undefined;
      throw new StoreError('store', `"${path}" changed on the server while it was read. Read it again from the start.`);
    }
    if (tag) tags.set(path, tag);
  };
  /** What there is of a span, or of the whole file: the caller's own bytes. */
  const load = async (path: string, range?: ByteRange): Promise<Loaded> => {
    if (kept?.path === path) return partOf(kept.bytes, range);
    const response = await get(path, range ? spanHeaders(range, tags.get(path)) : {});
    const contentRange = response.headers.get('content-range') ?? '';
    const size = Number(/\/(\d+)$/.exec(contentRange)?.[1] ?? Number.NaN);
    if (range && response.status === 416 && !Number.isNaN(size)) {
      await response.body?.cancel();
      return { bytes: new Uint8Array(0), size };
    }
    if (range && response.status === 206) {
      checkVersion(path, response);
      const start = Number(/^bytes (\d+)-/.exec(contentRange)?.[1] ?? Number.NaN);
      if (start === range.offset) return { bytes: await bytesOf(path, response), size };
      await response.body?.cancel();
      throw new StoreError('store', `the server sent "${contentRange}" of "${path}" for bytes from ${range.offset}.`);
    }
    if (response.status !== 200) throw await refusal(path, response);
    checkVersion(path, response);
    const bytes = await bytesOf(path, response);
    if (!range) return { bytes, size: bytes.length };
    kept = { path, bytes };
    return partOf(bytes, range);
  };
  const sizeOf = async (path: string): Promise<number> => {
    // Not HEAD: its Content-Length may be that of a compressed body, and some servers refuse it.
    const { size } = await load(path, { offset: 0, length: 1 });
    return Number.isNaN(size) ? (await load(path)).size : size;
  };

  return {
    async read(path, range) {
      if (!range) return (await load(path)).bytes;
      checkRange(path, range, Number.MAX_SAFE_INTEGER);
      if (range.length === 0) {
        checkRange(path, range, await sizeOf(path)); // no bytes cannot be asked for
        return new Uint8Array(0);
      }
      const { bytes, size } = await load(path, range);
      if (bytes.length === range.length) return bytes;
      checkRange(path, range, Number.isNaN(size) ? range.offset + bytes.length : size);
      throw new StoreError('store', `the server sent ${bytes.length} bytes of "${path}" for ${range.length}.`);
    },
    size: sizeOf,
    async exists(path) {
      if (kept?.path === path) return true;
      const response = await get(path, { Range: 'bytes=0-0' });
      await response.body?.cancel();
      if (response.ok || response.status === 416) return true;
      if (response.status === 404 || response.status === 410) return false;
      throw await refusal(path, response);
    },
  };
}

/** Bytes that arrived, and the size of the file they are of: NaN where the server does not say it. */
interface Loaded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

/** A copy: the file that is kept stays whole. */
function partOf(file: Uint8Array<ArrayBuffer>, range?: ByteRange): Loaded {
  return { bytes: file.slice(range?.offset, range && range.offset + range.length), size: file.length };
}

function spanHeaders({ offset, length }: ByteRange, tag = 'W/'): Record<string, string> {
  const span = { Range: `bytes=${offset}-${offset + length - 1}` };
  return tag.startsWith('W/') ? span : { ...span, 'If-Range': tag }; // weak tags are not allowed there
}

function parseUrl(url: string | URL): URL {
  try {
    return new URL(url, (globalThis as { location?: Location }).location?.href);
  } catch (cause) {
    throw new StoreError('httpStore', `"${url}" is no URL. Give an absolute one: https://host/folder/`, { cause });
  }
}

async function refusal(path: string, response: Response): Promise<StoreError> {
  if (!response.bodyUsed) await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return notFound(path);
  return new StoreError('store', `the server answered ${response.status} to "${path}". Check the address and access.`);
}
