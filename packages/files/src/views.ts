// Views of a store: a folder of it, or only a folder of it.
import { FileAccessError } from './errors.js';
import { checkPath, entriesOf, type FileSource, type FileStore } from './stores/store.js';

/** The folder `name` of a store, as a store of its own. */
export function folderStore(store: FileStore, name: string): FileStore {
  const inside = (path: string) => `${name}/${path}`;
  const folder = (path = '') => (path === '' ? name : inside(path));
  return {
    read: (path, range, options) => store.read(inside(path), range, options),
    size: (path) => store.size(inside(path)),
    exists: (path) => store.exists(inside(path)),
    write: (path, content) => store.write(inside(path), content),
    append: (path, text) => store.append(inside(path), text),
    list: async (path) => (await store.list(folder(path))).map((full) => full.slice(name.length + 1)),
    entries: (path) => entriesOf(store, folder(path)),
    ...(store.ancestry && { ancestry: (path?: string) => store.ancestry!(folder(path)) }),
    remove: (path) => store.remove(inside(path)),
    move: (from, to) => store.move(inside(from), inside(to)),
    lock: (path) => store.lock(folder(path)),
  };
}

/**
 * The files of one folder of a store, and no other. It enforces the isolation of experts: a run
 * reads through a view in which another cluster's folder cannot be reached.
 * @throws FileAccessError, naming the path, on any access to another path, before the store is used.
 */
export function onlyFolder(store: FileSource, folder: string): FileSource {
  const admit = (path: string) => {
    if (checkPath(path).startsWith(`${folder}/`)) return path;
    const hint = 'Open it through another store.';
    throw new FileAccessError('store', `"${path}" is outside what may be opened here ("${folder}"). ${hint}`);
  };
  return {
    read: async (path, range, options) => store.read(admit(path), range, options),
    size: async (path) => store.size(admit(path)),
    exists: async (path) => store.exists(admit(path)),
    ...(store.ancestry && { ancestry: (path = '') => store.ancestry!(path === '' ? '' : admit(path)) }),
  };
}
