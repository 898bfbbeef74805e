// What changes places in a file store.
import type { FileStore } from '@paris/files';

/** Renames the folder `name` to `name.old`, or `name.old-2` and so on; without the folder it does nothing. */
export async function moveAside(store: FileStore, name: string): Promise<void> {
  if ((await store.list(name)).length === 0) return;
  let target = `${name}.old`;
  for (let i = 2; (await store.list(target)).length > 0; i++) target = `${name}.old-${i}`;
  await store.move(name, target);
}
