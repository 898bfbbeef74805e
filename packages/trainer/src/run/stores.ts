// What changes places in a file store.
import { type FileStore, folderStore } from '@paris/files';

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
