import { FileLockedError, notFound, StoreError } from '../errors.js';
import { checkFolder, checkPath, checkRange, type FileStore, isInside } from './store.js';

let made = 0;

/** A store that lives in memory and ends with it: for tests, and where there are no files. */
export function memoryStore(files: Readonly<Record<string, Uint8Array | string>> = {}): FileStore {
  const encoder = new TextEncoder();
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  const locks = new Set<string>();
  const id = `memory ${++made}`;
  for (const [path, value] of Object.entries(files)) {
    contents.set(checkPath(path), typeof value === 'string' ? encoder.encode(value) : new Uint8Array(value));
  }
  const get = (path: string) => {
    const bytes = contents.get(checkPath(path));
    if (!bytes) throw notFound(path);
    return bytes;
  };
  const put = (path: string, bytes: Uint8Array<ArrayBuffer>) => {
    for (const other of contents.keys()) {
      const clash = other !== path && (isInside(other, path) || isInside(path, other));
      if (clash) throw new StoreError('store', `"${path}" cannot stand beside the file "${other}". Rename one.`);
    }
    contents.set(path, bytes);
  };
  const inside = (folder: string) => [...contents.keys()].filter((path) => isInside(path, checkFolder(folder)));

  return {
    async read(path, range) {
      const bytes = get(path);
      if (!range) return bytes.slice();
      checkRange(path, range, bytes.length);
      return bytes.slice(range.offset, range.offset + range.length);
    },
    async size(path) {
      return get(path).length;
    },
    async exists(path) {
      return contents.has(checkPath(path));
    },
    async ancestry(path = '') {
      const names = checkFolder(path).split('/').filter(Boolean);
      return [id, ...names.map((_, i) => `${id}/${names.slice(0, i + 1).join('/')}`)];
    },
    async write(path, bytes) {
      put(checkPath(path), new Uint8Array(bytes)); // a copy: slice() of Node's Buffer is a view
    },
    async append(path, text) {
      const before = contents.get(checkPath(path)) ?? new Uint8Array(0);
      const added = encoder.encode(text);
      const bytes = new Uint8Array(before.length + added.length);
      bytes.set(before);
      bytes.set(added, before.length);
      put(path, bytes);
    },
    async list(folder = '') {
      return inside(folder).sort();
    },
    async remove(path) {
      checkPath(path);
      for (const file of inside(path)) contents.delete(file);
    },
    async move(from, to) {
      checkPath(to);
      const moved = inside(checkPath(from));
      if (moved.length === 0) throw notFound(from);
      const isFile = contents.has(from);
      if (isInside(to, from) && (to !== from || !isFile)) {
        throw new StoreError('store', `"${from}" cannot move into itself, to "${to}". Choose another name.`);
      }
      if (inside(to).some((path) => !isFile || path !== to)) {
        throw new StoreError('store', `"${from}" cannot move to "${to}": something is there. Remove that first.`);
      }
      for (const path of moved) {
        const bytes = get(path);
        contents.delete(path);
        put(to + path.slice(from.length), bytes);
      }
    },
    async lock(folder = '') {
      checkFolder(folder);
      if (locks.has(folder)) {
        throw new FileLockedError('store', `"${folder || '.'}" is in use already. Wait for the other one to end.`);
      }
      locks.add(folder);
      return { release: async () => void locks.delete(folder) };
    },
  };
}
