import { FileAccessError, notFound, StoreError } from './errors.js';
import { type ByteRange, checkPath, checkRange, type FileStore } from './store.js';

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
 * The files below a URL, read only. Spans are asked for by `Range`; `If-Range` with the file's entity tag (RFC 9110,
 * §13.1.5) makes sure that all spans are of one version of it. A server that answers with the whole file instead is
 * taken at its word: the file last read so is kept, so that its other spans cost no further download.
 * @param url - the folder, absolute or, in a browser, relative to the page
 */
export function httpStore(url: string | URL, options: HttpStoreOptions = {}): FileStore {
  const { headers = {}, signal, fetch = globalThis.fetch } = options;
  const base = parseUrl(url);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const tags = new Map<string, string>();
  let whole: { path: string; bytes: Uint8Array<ArrayBuffer> } | undefined;

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
      if (whole?.path === path) whole = undefined;
      throw new StoreError('store', `"${path}" changed on the server while it was read. Read it again from the start.`);
    }
    if (tag) tags.set(path, tag);
  };
  /** Asks for a span: its bytes if the server sends spans, and the size of the file if it says it. */
  const getRange = async (path: string, { offset, length }: ByteRange) => {
    const tag = tags.get(path);
    const condition = tag && !tag.startsWith('W/') ? { 'If-Range': tag } : undefined; // weak tags are not allowed there
    const response = await get(path, { Range: `bytes=${offset}-${offset + length - 1}`, ...condition });
    if (response.status === 200) {
      checkVersion(path, response);
      whole = { path, bytes: await bytesOf(path, response) };
      return { size: whole.bytes.length };
    }
    const contentRange = response.headers.get('content-range') ?? '';
    const size = Number(/\/(\d+)$/.exec(contentRange)?.[1] ?? Number.NaN);
    if (response.status === 416 && !Number.isNaN(size)) {
      await response.body?.cancel();
      return { size };
    }
    if (response.status !== 206) throw await refusal(path, response);
    checkVersion(path, response);
    const start = Number(/^bytes (\d+)-/.exec(contentRange)?.[1] ?? Number.NaN);
    if (start !== offset) {
      await response.body?.cancel();
      throw new StoreError('store', `the server sent "${contentRange}" of "${path}" for bytes from ${offset}.`);
    }
    return { bytes: await bytesOf(path, response), size };
  };
  const refuse = async (): Promise<never> => {
    throw new FileAccessError('store', `${base.href} is read only. Copy the files to a folder and work there.`);
  };

  return {
    async read(path, range) {
      checkPath(path);
      if (whole?.path === path) {
        if (range) checkRange(path, range, whole.bytes.length);
        return range ? whole.bytes.slice(range.offset, range.offset + range.length) : whole.bytes.slice();
      }
      if (!range) {
        const response = await get(path, {});
        if (response.status !== 200) throw await refusal(path, response);
        checkVersion(path, response);
        return bytesOf(path, response);
      }
      checkRange(path, range, Number.MAX_SAFE_INTEGER);
      if (range.length === 0) {
        checkRange(path, range, await this.size(path)); // no bytes cannot be asked for
        return new Uint8Array(0);
      }
      const { bytes, size } = await getRange(path, range);
      if (bytes?.length === range.length) return bytes;
      if (whole?.path === path) {
        checkRange(path, range, whole.bytes.length);
        return whole.bytes.slice(range.offset, range.offset + range.length);
      }
      checkRange(path, range, Number.isNaN(size) ? range.offset + (bytes?.length ?? 0) : size);
      throw new StoreError('store', `the server sent ${bytes?.length ?? 0} bytes of "${path}" for ${range.length}.`);
    },
    async size(path) {
      checkPath(path);
      if (whole?.path === path) return whole.bytes.length;
      // Not HEAD: its Content-Length may be that of a compressed body, and some servers refuse it.
      const { size } = await getRange(path, { offset: 0, length: 1 });
      if (!Number.isNaN(size)) return size;
      return (await this.read(path)).length;
    },
    async exists(path) {
      checkPath(path);
      if (whole?.path === path) return true;
      const response = await get(path, { Range: 'bytes=0-0' });
      await response.body?.cancel();
      if (response.ok || response.status === 416) return true;
      if (response.status === 404 || response.status === 410) return false;
      throw await refusal(path, response);
    },
    async list() {
      throw new FileAccessError('store', `${base.href} cannot be listed over http. Read the names from an index file.`);
    },
    write: refuse,
    append: refuse,
    remove: refuse,
    move: refuse,
    lock: refuse,
  };
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
