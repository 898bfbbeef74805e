import type { Stats } from 'node:fs';
import { appendFile, type FileHandle, lstat, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FileAccessError, notFound, StoreError } from '../errors.js';
import { checkFolder, checkPath, checkRange, type FileStore } from '../stores/store.js';
import { ancestryOf } from './ancestry.js';
import { lockFolder } from './lock-folder.js';
import { replaceFile, syncFolder } from './replace-file.js';

/** Files that are ours and not the user's: unfinished writes and locks. They are not listed. */
const hidden = /^\.(?:lock(?:\..*)?|.*\.tmp-[0-9a-f-]{36})$/;

/**
 * The files below a folder of this machine. Writes go to a temporary file next to the target, are flushed to the disk
 * and renamed over it, so that a crash or a power cut leaves the old file or the new one. Paths cannot leave the
 * folder; links in it are followed, in writing too. What is there and is no regular file is never replaced.
 * @throws FileAccessError if the path is empty: it would be the current folder by accident
 */
export function nodeStore(folder: string): FileStore {
  if (folder === '') {
    throw new FileAccessError('store', 'the path of the folder is empty. Write "." for the current folder.');
  }
  const root = resolve(folder);
  const at = (path: string) => join(root, checkPath(path));
  const onFile = <T>(verb: string, path: string, work: (file: string) => Promise<T>) =>
    guard(verb, path, () => work(at(path)));

  return {
    read: (path, range) =>
      onFile('read', path, async (file) => {
        const handle = await open(file);
        try {
          const size = await sizeOfFile(path, () => handle.stat());
          if (range) checkRange(path, range, size);
          return await readFully(path, handle, range?.offset ?? 0, range?.length ?? size);
        } finally {
          await handle.close();
        }
      }),
    size: (path) => onFile('read', path, (file) => sizeOfFile(path, () => stat(file))),
    async exists(path) {
      const info = await stat(at(path)).catch(() => undefined);
      return info?.isFile() ?? false;
    },
    ancestry: (path = '') => guard('find', path || '.', () => ancestryOf(path === '' ? root : at(path))),
    write: (path, bytes) =>
      onFile('write', path, async (file) => {
        await mkdir(dirname(file), { recursive: true });
        await replaceFile(file, bytes);
      }),
    append: (path, text) =>
      onFile('write', path, async (file) => {
        await mkdir(dirname(file), { recursive: true });
        await appendFile(file, text);
      }),
    async list(folder = '') {
      checkFolder(folder);
      const files = await guard('read', folder || '.', () => listFiles(root, folder));
      return files.sort();
    },
    async entries(folder = '') {
      if (folder === '' && (await stat(root).catch(() => undefined))?.isFile()) {
        throw new StoreError('store', `${root} is a file. Give a folder.`);
      }
      return guard('read', folder || '.', () => entriesOf(join(root, checkFolder(folder))));
    },
    remove: (path) =>
      onFile('remove', path, async (file) => {
        await rm(file, { recursive: true, force: true });
        await removeEmptyFolders(dirname(file), root);
      }),
    move: (from, to) =>
      onFile('move', from, async (source) => {
        const target = at(to);
        const info = await stat(source);
        const there = await stat(target).catch(() => lstat(target).catch(() => undefined)); // a link to nothing is there
        if (there && !(info.isFile() && there.isFile())) {
          throw new StoreError('store', `"${from}" cannot move to "${to}": something is there. Remove that first.`);
        }
        await mkdir(dirname(target), { recursive: true });
        await rename(source, target);
        await syncFolder(dirname(target));
        await removeEmptyFolders(dirname(source), root);
      }),
    async lock(folder = '') {
      checkFolder(folder);
      return guard('lock', folder || '.', () => lockFolder(join(root, folder)));
    },
  };
}

/** Folders exist as far as files do: removes a folder of the store and those above it that hold nothing at all. */
async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let at = folder; at.startsWith(join(root, '/')) && at !== root; at = dirname(at)) {
    const removed = await rmdir(at).then(
      () => true,
      () => false, // something is in it, or it is a link
    );
    if (!removed) return;
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const visible = names.filter((name) => !hidden.test(name));
  return Promise.all(
    visible.map(async (name) => {
      const info = await stat(join(folder, name)).catch(() => undefined); // a link to nothing is an entry, too
      return info?.isDirectory() ? `${name}/` : name;
    }),
  );
}

async function sizeOfFile(path: string, look: () => Promise<Stats>): Promise<number> {
  const info = await look();
  if (!info.isFile()) throw notFound(path);
  return info.size;
}

/** Into a buffer of its own, from its start: views of any element size fit on it. One call may read less than asked. */
async function readFully(path: string, handle: FileHandle, offset: number, length: number) {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 1 << 30), offset + done);
    if (bytesRead === 0) throw new StoreError('store', `"${path}" was cut off while it was read. Is it being written?`);
    done += bytesRead;
  }
  return bytes;
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  let entries: string[];
  try {
    entries = await readdir(join(root, folder));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') return [folder];
    throw error;
  }
  const files: string[] = [];
  for (const name of entries) {
    if (hidden.test(name)) continue;
    const path = folder === '' ? name : `${folder}/${name}`;
    const info = await stat(join(root, path)).catch(() => undefined); // follows links; broken ones are no files
    if (info?.isDirectory()) files.push(...(await listFiles(root, path)));
    else if (info?.isFile()) files.push(path);
  }
  return files;
}

/** The system's errors in our words, with the original as the cause. */
async function guard<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof StoreError || code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') {
      if (verb !== 'write') throw notFound(path, { cause: error });
    }
    const hint = code === 'ENOSPC' ? 'Free some space' : 'Check its permissions and the disk';
    throw new StoreError('store', `cannot ${verb} "${path}": ${message.split(',')[0]}. ${hint}.`, { cause: error });
  }
}
