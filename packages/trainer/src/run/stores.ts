// Views of a file store.
import type { FileStore } from '@paris/tensor/store';

/** The folder `name` of a store, as a store of its own. */
export function folderStore(store: FileStore, name: string): FileStore {
  const inside = (path: string) => `${name}/${path}`;
  const folder = (path = '') => (path === '' ? name : inside(path));
  return {
    read: (path, range) => store.read(inside(path), range),
    size: (path) => store.size(inside(path)),
    exists: (path) => store.exists(inside(path)),
    write: (path, bytes) => store.write(inside(path), bytes),
    append: (path, text) => store.append(inside(path), text),
    list: async (path) => (await store.list(folder(path))).map((full) => full.slice(name.length + 1)),
    remove: (path) => store.remove(inside(path)),
    move: (from, to) => store.move(inside(from), inside(to)),
    lock: (path) => store.lock(folder(path)),
  };
}

/** Renames the folder `name` to `name.old`, or `name.old-2` and so on; without the folder it does nothing. */
export async function moveAside(store: FileStore, name: string): Promise<void> {
  if ((await store.list(name)).length === 0) return;
  let target = `${name}.old`;
  for (let i = 2; (await store.list(target)).length > 0; i++) target = `${name}.old-${i}`;
  await store.move(name, target);
}
