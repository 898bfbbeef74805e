import { FileLockedError, notFound, StoreError } from '../errors.js';
import { joinBytes } from '../join-bytes.js';
import {
  type ByteRange,
  checkFolder,
  checkPath,
  checkRange,
  checkSize,
  type FileContent,
  type FileLock,
  type FileStore,
  isInside,
  type ReadOptions,
} from './store.js';

let made = 0;

/** A store that lives in memory and ends with it: for tests, and where there are no files. */
export function memoryStore(files: Readonly<Record<string, Uint8Array | string>> = {}): FileStore {
  const memory = new MemoryFiles(files);
  return {
    read: async (path, range, options) => memory.read(path, range, options),
    size: async (path) => memory.get(path).length,
    exists: async (path) => memory.has(path),
    ancestry: async (path = '') => memory.ancestry(path),
    write: async (path, content) => memory.put(checkPath(path), await bytesOf(content)),
    append: async (path, text) => memory.append(path, text),
    list: async (folder = '') => memory.inside(folder).sort(),
    remove: async (path) => memory.remove(path),
    move: async (from, to) => memory.move(from, to),
    lock: async (folder = '') => memory.lock(folder),
  };
}

/** A copy: slice() of Node's Buffer is a view. */
async function bytesOf(content: FileContent): Promise<Uint8Array<ArrayBuffer>> {
  if (ArrayBuffer.isView(content)) return new Uint8Array(content);
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(new Uint8Array(part));
  return joinBytes(parts);
}

class MemoryFiles {
  readonly #contents = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #locks = new Set<string>();
  readonly #id = `memory ${++made}`;

  constructor(files: Readonly<Record<string, Uint8Array | string>>) {
    for (const [path, value] of Object.entries(files)) {
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : new Uint8Array(value);
      this.#contents.set(checkPath(path), bytes);
    }
  }

  has(path: string): boolean {
    return this.#contents.has(checkPath(path));
  }

  get(path: string): Uint8Array<ArrayBuffer> {
    const bytes = this.#contents.get(checkPath(path));
    if (!bytes) throw notFound(path);
    return bytes;
  }

  inside(folder: string): string[] {
    checkFolder(folder);
    return [...this.#contents.keys()].filter((path) => isInside(path, folder));
  }

  read(path: string, range?: ByteRange, options: ReadOptions = {}): Uint8Array<ArrayBuffer> {
    const bytes = this.get(path);
    if (range) checkRange(path, range, bytes.length);
    else checkSize(path, options, bytes.length);
    return bytes.slice(range?.offset, range && range.offset + range.length);
  }

  ancestry(path: string): string[] {
    const names = checkFolder(path).split('/').filter(Boolean);
    return [this.#id, ...names.map((_, i) => `${this.#id}/${names.slice(0, i + 1).join('/')}`)];
  }

  put(path: string, bytes: Uint8Array<ArrayBuffer>): void {
    for (const other of this.#contents.keys()) {
      const clash = other !== path && (isInside(other, path) || isInside(path, other));
      if (clash) throw new StoreError('store', `"${path}" cannot exist together with the file "${other}". Rename one.`);
    }
    this.#contents.set(path, bytes);
  }

  append(path: string, text: string): void {
    const before = this.#contents.get(checkPath(path)) ?? new Uint8Array(0);
    const added = new TextEncoder().encode(text);
    const bytes = new Uint8Array(before.length + added.length);
    bytes.set(before);
    bytes.set(added, before.length);
    this.put(path, bytes);
  }

  remove(path: string): void {
    for (const file of this.inside(checkPath(path))) this.#contents.delete(file);
  }

  move(from: string, to: string): void {
    checkPath(to);
    const moved = this.inside(checkPath(from));
    if (moved.length === 0) throw notFound(from);
    const isFile = this.#contents.has(from);
    if (isInside(to, from) && (to !== from || !isFile)) {
      throw new StoreError('store', `"${from}" cannot move into itself, to "${to}". Choose another name.`);
    }
    if (this.inside(to).some((path) => !isFile || path !== to)) {
      throw new StoreError('store', `"${from}" cannot move to "${to}": something is there. Remove that first.`);
    }
    const above = [...this.#contents.keys()].find((other) => other !== to && other !== from && isInside(to, other));
    if (above !== undefined) {
      throw new StoreError('store', `"${from}" cannot move to "${to}": "${above}" is a file. Choose another name.`);
    }
    for (const path of moved) {
      const bytes = this.get(path);
      this.#contents.delete(path);
      this.put(to + path.slice(from.length), bytes);
    }
  }

  lock(folder: string): FileLock {
    checkFolder(folder);
    if (this.#locks.has(folder)) {
      throw new FileLockedError('store', `"${folder || '.'}" is in use already. Wait for the other one to end.`);
    }
    this.#locks.add(folder);
    return { release: async () => void this.#locks.delete(folder) };
  }
}
