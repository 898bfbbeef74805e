// The inside of a bundle: a tar archive of plain files, the same bytes for the same files.
import { byCodeUnit, checkPath, type FileSource, type FileStore, memoryStore } from '@paris/files';
import { DataError } from '../errors.js';

/** What makes a bundle a job. */
export const JOB_FILE = 'job.json';

/** @param paths - the files of the store that are packed */
export async function packFiles(store: FileSource, paths: readonly string[]): Promise<Uint8Array> {
  const { packTar } = await import('modern-tar');
  const entries = [];
  for (const name of [...paths].sort(byCodeUnit)) {
    const body = await store.read(name);
    entries.push({ header: { name, size: body.length, mtime: new Date(0), mode: 0o644 }, body });
  }
  return packTar(entries);
}

/**
 * @param isOurs - whether a bundle of its kind has a file of this path
 * @param other - a file that only bundles of the other kind have, and what to say of these: they are easily mixed up
 * @throws DataError for what is no archive of ours: other files, links, folders, paths that lead out, one path twice
 */
export async function unpackFiles(
  archive: Uint8Array,
  isOurs: (path: string) => boolean,
  other: { readonly path: string; readonly what: string },
): Promise<FileStore> {
  const { unpackTar } = await import('modern-tar');
  const entries = await unpackTar(archive, { strict: true }).catch((cause: Error) => {
    throw new DataError('bundle', `what is signed is no archive: ${cause.message}.`);
  });
  if (entries.some(({ header }) => header.name === other.path)) {
    throw new DataError('bundle', `${other.what}. Give the other file.`);
  }
  const store = memoryStore();
  for (const { header, data } of entries) {
    const { name, type = 'file' } = header;
    const shown = JSON.stringify(name);
    if (type !== 'file' || !isOurs(name)) throw new DataError('bundle', `it holds ${shown}, which no such bundle has.`);
    checkPath(name);
    if (await store.exists(name)) throw new DataError('bundle', `it holds ${shown} twice.`);
    await store.write(name, data ?? new Uint8Array(0));
  }
  return store;
}
