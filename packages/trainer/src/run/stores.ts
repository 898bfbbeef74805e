// Views of a file store.
import { checkPath, FileAccessError, type FileSource, type FileStore } from '@paris/tensor/store';

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

/**
 * The files of one folder of a store, and no other. This is how an expert's isolation is a fact and not a habit: its run
 * reads through a view in which another cluster's folder cannot be reached.
 * @throws FileAccessError, naming the path, on any touch of another path; nothing of the store is asked before.
 */
export function onlyFolder(store: FileSource, folder: string): FileSource {
  const admit = (path: string) => {
    if (checkPath(path).startsWith(`${folder}/`)) return path;
    const hint = 'Open it through another store.';
    throw new FileAccessError('store', `"${path}" is outside what may be opened here ("${folder}"). ${hint}`);
  };
  return {
    read: async (path, range) => store.read(admit(path), range),
    size: async (path) => store.size(admit(path)),
    exists: async (path) => store.exists(admit(path)),
  };
}

/** Renames the folder `name` to `name.old`, or `name.old-2` and so on; without the folder it does nothing. */
export async function moveAside(store: FileStore, name: string): Promise<void> {
  if ((await store.list(name)).length === 0) return;
  let target = `${name}.old`;
  for (let i = 2; (await store.list(target)).length > 0; i++) target = `${name}.old-${i}`;
  await store.move(name, target);
}

/** Where what is new grows, and where what was there waits to go. */
const [UNFINISHED, REPLACED] = ['unfinished', 'replaced'];

/**
 * Replaces files and folders of a store by those of the same names that `write` writes. They change places when all is
 * written, by renames alone; `last`, whose presence means complete, goes first and comes last. Whatever interrupts this
 * leaves the old, the new, or no `last`: never a mixture, and the next call clears up after it.
 */
export async function replaceParts<T>(
  store: FileStore,
  names: { readonly parts: readonly string[]; readonly last: string },
  write: (store: FileStore) => Promise<T>,
): Promise<T> {
  const clear = async () => {
    for (const folder of [UNFINISHED, REPLACED]) await store.remove(folder);
  };
  await clear();
  let result: T;
  try {
    result = await write(folderStore(store, UNFINISHED));
  } catch (error) {
    await store.remove(UNFINISHED).catch(() => undefined); // what went wrong before is what is said
    throw error;
  }
  const moveIfThere = async (name: string, from: string, to: string) => {
    const there = (await store.exists(`${from}${name}`)) || (await store.list(`${from}${name}`)).length > 0;
    if (there) await store.move(`${from}${name}`, `${to}${name}`);
  };
  for (const name of [names.last, ...names.parts]) await moveIfThere(name, '', `${REPLACED}/`);
  for (const name of [...names.parts, names.last]) await moveIfThere(name, `${UNFINISHED}/`, '');
  await clear();
  return result;
}
