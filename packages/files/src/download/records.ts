// What is kept of a server's files: a record for each, and their parts by hash. Writes are atomic and parts are named by what
// they are, so that processes which share the store cannot damage each other's: the most that is lost is a part to fetch again.
// A lock for each file keeps two processes from fetching the same part.
import { FileLockedError } from '../errors.js';
import { sha256 } from '../hash.js';
import { encodeJson } from '../json.js';
import type { FileLock, FileStore } from '../stores/store.js';
import type { CachedFile } from './cached.js';

/** What downloads need of a store. */
export interface DownloadCache extends Pick<FileStore, 'read' | 'exists' | 'lock'> {
  /** As `FileStore.write`, of bytes that are there. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Says that what is in a folder is read from now on, so that nobody removes it. */
  use?(folder: string): Promise<void>;
}

/** Records and parts of the files below one address. */
export class Records {
  readonly #cache: DownloadCache;
  readonly #address: string;

  constructor(cache: DownloadCache, address: string) {
    this.#cache = cache;
    this.#address = address.replace(/\/+$/, '');
  }

  /** What is known of a file; undefined if that is nothing, or not sound. */
  async read(path: string): Promise<CachedFile | undefined> {
    const place = `${await this.#folder(path)}/record.json`;
    if (!(await this.#cache.exists(place))) return undefined;
    try {
      const record = JSON.parse(new TextDecoder().decode(await this.#cache.read(place))) as CachedFile;
      return isSound(record, path) ? record : undefined;
    } catch {
      return undefined;
    }
  }

  /** Says that a file is read from now on; before its record is looked at. */
  async use(path: string): Promise<void> {
    await this.#cache.use?.(await this.#folder(path));
  }

  async write(file: CachedFile): Promise<void> {
    const place = `${await this.#folder(file.path)}/record.json`;
    await this.#cache.write(place, encodeJson({ address: this.#address, ...file }));
  }

  /** A part, if it is kept and undamaged. */
  async part(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (!(await this.#cache.exists(`parts/${hash}`))) return undefined;
    const bytes = await this.#cache.read(`parts/${hash}`);
    return (await sha256(bytes)) === hash ? bytes : undefined;
  }

  /** Keeps a part. @returns its hash */
  async keep(bytes: Uint8Array): Promise<string> {
    const hash = await sha256(bytes);
    await this.#cache.write(`parts/${hash}`, bytes);
    return hash;
  }

  /** Notes a part that is kept, together with those that other processes noted. */
  async note(file: CachedFile, index: number, hash: string): Promise<void> {
    await this.refresh(file);
    file.parts[index] = hash;
    await this.write(file);
  }

  /** Adds what other processes noted. */
  async refresh(file: CachedFile): Promise<void> {
    const other = await this.read(file.path);
    if (other && other.tag === file.tag && other.sizeBytes === file.sizeBytes && other.partBytes === file.partBytes) {
      file.parts = file.parts.map((part, i) => part ?? other.parts[i] ?? null);
    }
  }

  /** The right to fetch parts of a file; undefined while another has it. */
  async lock(path: string): Promise<FileLock | undefined> {
    try {
      return await this.#cache.lock(await this.#folder(path));
    } catch (error) {
      if (error instanceof FileLockedError) return undefined;
      throw error;
    }
  }

  async #folder(path: string): Promise<string> {
    return `files/${await sha256(new TextEncoder().encode(`${this.#address}\n${path}`))}`;
  }
}

function isSound(record: CachedFile, wanted: string): boolean {
  const { path, tag, sha256, sizeBytes, partBytes, parts } = record;
  if (path !== wanted || !(tag === null || typeof tag === 'string')) return false;
  if (!(sha256 === null || /^[0-9a-f]{64}$/.test(sha256))) return false;
  if (sizeBytes === -1) return true;
  const isCounted =
    Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && Number.isSafeInteger(partBytes) && partBytes > 0;
  if (!isCounted || !Array.isArray(parts) || parts.length !== Math.ceil(sizeBytes / partBytes)) return false;
  return parts.every((part) => part === null || /^[0-9a-f]{64}$/.test(part));
}
