// Where a path of this machine really is, so that two spellings of one folder are recognised as the same.
import { readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

/**
 * An id for each folder from the root to `path`: device and inode of what is there (links followed, so that every spelling
 * of a folder has the same id, also where capital letters do not count), and names below that of what is not there yet.
 */
export async function ancestryOf(path: string): Promise<string[]> {
  const { real, missing } = await realPath(resolve(path));
  const folders = [real];
  while (dirname(folders[0]!) !== folders[0]) folders.unshift(dirname(folders[0]!));
  const ids = await Promise.all(folders.map(idOf));
  for (const name of missing) ids.push(`${ids.at(-1)}/${name.normalize('NFC').toLowerCase()}`);
  return ids;
}

async function idOf(path: string): Promise<string> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return info ? `${info.dev}:${info.ino}` : `path ${path}`; // a folder above that may not be looked at
}

/** The real path of the part that is there, and the names that follow it. A link to nothing counts as what it names. */
async function realPath(path: string): Promise<{ real: string; missing: string[] }> {
  const missing: string[] = [];
  let at = path;
  for (let links = 0; ; ) {
    const real = await realpath(at).catch((error: NodeJS.ErrnoException) => {
      if (dirname(at) === at) throw error;
      return undefined;
    });
    if (real !== undefined) return { real, missing };
    const target = links < 40 ? await readlink(at).catch(() => undefined) : undefined;
    if (target === undefined) {
      missing.unshift(basename(at));
      at = dirname(at);
    } else {
      links += 1;
      at = resolve(await realpath(dirname(at)), target);
    }
  }
}
