import { FileAccessError } from './errors.js';
import { byCodeUnit, checkFolder, checkPath, type FileStore, isInside } from './store.js';

/**
 * A view of a store that opens nothing but the given files and folders. This is how an expert's isolation is a fact
 * and not a habit: its run holds a store through which another cluster's folder cannot be reached.
 * @param allowed - files, or folders with all in them
 * @throws FileAccessError, naming the path, on any touch of another path; nothing of the store is asked before.
 */
export function allowList(store: FileStore, allowed: readonly string[]): FileStore {
  const roots = allowed.map(checkFolder);
  const admit = (path: string) => {
    checkFolder(path);
    if (roots.some((root) => isInside(path, root))) return path;
    throw new FileAccessError(
      'store',
      `"${path}" is outside what may be opened here (${roots.map((root) => `"${root}"`).join(', ') || 'nothing'}). ` +
        'Open it through another store, or allow it.',
    );
  };
  const admitFile = (path: string) => admit(checkPath(path));

  return {
    read: async (path, range) => store.read(admitFile(path), range),
    size: async (path) => store.size(admitFile(path)),
    exists: async (path) => store.exists(admitFile(path)),
    write: async (path, bytes) => store.write(admitFile(path), bytes),
    append: async (path, text) => store.append(admitFile(path), text),
    remove: async (path) => store.remove(admitFile(path)),
    move: async (from, to) => store.move(admitFile(from), admitFile(to)),
    lock: async (folder = '') => store.lock(admit(folder)),
    // A folder above allowed ones lists what is allowed in it, without looking into the rest.
    async list(folder = '') {
      const below = roots.filter((root) => isInside(root, checkFolder(folder)) && root !== folder);
      if (below.length === 0) return store.list(admit(folder));
      const lists = await Promise.all(below.map((root) => store.list(root)));
      return [...new Set(lists.flat())].sort(byCodeUnit);
    },
  };
}
