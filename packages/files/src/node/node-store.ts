import type { Stats } from 'node:fs';
import {
  appendFile,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readFile as readBytes,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FileAccessError, notFound, StoreError, UnavailableError } from '../errors.js';
import {
  type ByteRange,
  checkFolder,
  checkPath,
  checkRange,
  checkSize,
  type FileStore,
  type ReadOptions,
} from '../stores/store.js';
import { ancestryOf } from './ancestry.js';
import { lockFolder } from './lock-folder.js';
import { isPassing } from './passing.js';
import { replaceFile, syncFolder } from './replace-file.js';
import { isTemporary } from './temporary.js';

/** Files that are ours and not the user's: unfinished writes and locks. They are not listed. */
const isHidden = (name: string): boolean => /^\.lock(?:\..*)?$/.test(name) || isTemporary(name);

/**
 * The files below a folder of this machine. Writes go to a temporary file next to the target, are flushed to the disk
 * and renamed over it, so that a crash or a power cut leaves the old file or the new one. Paths cannot leave the
 * folder; links in it are followed, in writing and moving too. What is there and is no regular file is never replaced.
 * @throws FileAccessError if the path is empty: it would be the current folder by accident
 */
export function nodeStore(folder: string): FileStore {
  if (folder === '') {
    throw new FileAccessError('store', 'the path of the folder is empty. Write "." for the current folder.');
  }
  const root = resolve(folder);
  const at = (path: string) => join(root, checkPath(path));
  const atFolder = (folder: string) => join(root, checkFolder(folder));
  const onFile = <T>(verb: string, path: string, work: (file: string) => Promise<T>) =>
    guard(verb, path, () => work(at(path)));
  const onFolder = async <T>(verb: string, folder: string, work: (full: string) => Promise<T>) =>
    guard(verb, folder || '.', () => work(atFolder(folder)));

  return {
    read: (path, range, options) => onFile('read', path, (file) => readFile(file, path, range, options)),
    size: (path) => onFile('read', path, (file) => sizeOfFile(path, () => stat(file))),
    exists: async (path) => (await stat(at(path)).catch(() => undefined))?.isFile() ?? false,
    ancestry: (path = '') => onFolder('find', path, ancestryOf),
    write: (path, content) => onFile('write', path, (file) => inFolder(file, () => replaceFile(file, content))),
    append: (path, text) => onFile('write', path, (file) => inFolder(file, () => appendFile(file, text))),
    list: async (folder = '') => (await onFolder('read', folder, async () => listFiles(root, folder))).sort(),
    entries: async (folder = '') => {
      const info = folder === '' ? await stat(root).catch(() => undefined) : undefined;
      if (info && !info.isDirectory()) {
        throw new StoreError('store', `${root} is a file. Give a folder.`);
      }
      return onFolder('read', folder, entriesOf);
    },
    remove: (path) =>
      onFile('remove', path, async (file) => {
        await rm(file, { recursive: true, force: true }).catch(unlessBelowFile);
        await removeEmptyFolders(dirname(file), root);
      }),
    move: (from, to) =>
      onFile('move', from, async (source) => {
        const isFree = await movePath(source, at(to));
        if (!isFree) {
          throw new StoreError('store', `"${from}" cannot move to "${to}": something is there. Remove that first.`);
        }
        await removeEmptyFolders(dirname(source), root);
      }),
    lock: (folder = '') => onFolder('lock', folder, lockFolder),
  };
}

async function readFile(file: string, path: string, range?: ByteRange, options: ReadOptions = {}) {
  const handle = await open(file);
  try {
    const size = await sizeOfFile(path, () => handle.stat());
    if (range) checkRange(path, range, size);
    else checkSize(path, options, size);
    return await readFully(path, handle, range?.offset ?? 0, range?.length ?? size);
  } finally {
    await handle.close();
  }
}

async function inFolder(file: string, work: () => Promise<void>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await work();
}

/** Moves a file or a folder. False, and nothing done, if something is there that may not be replaced. */
async function movePath(source: string, to: string): Promise<boolean> {
  const info = await stat(source);
  const there = await stat(to).catch(() => lstat(to).catch(() => undefined)); // a link to nothing is there
  if (there && !(info.isFile() && there.isFile())) return false;
  const target = there ? await realpath(to) : to; // a link stays: the file that it names is replaced
  await inFolder(target, async () => {
    await rename(source, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV' || !info.isFile()) throw error;
      await replaceFile(target, await readBytes(source)); // a link may lead to another disk
      await rm(source);
    });
  });
  await syncFolder(dirname(target));
  return true;
}

/** Below a file there is nothing. */
function unlessBelowFile(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTDIR') throw error;
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
  const visible = names.filter((name) => !isHidden(name));
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
  const bytes = allocate(path, length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 1 << 30), offset + done);
    if (bytesRead === 0) throw new StoreError('store', `"${path}" was cut off while it was read. Is it being written?`);
    done += bytesRead;
  }
  return bytes;
}

/** A file may have holes, and claim more bytes than there are on the disk or in memory. */
function allocate(path: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const what = `${length} bytes of "${path}" do not fit into memory at once`;
    throw new StoreError('store', `${what}. Is it the right file?`, { cause });
  }
}

/** @param above - the real folders that lead here: a link back to one of them is a loop */
async function listFiles(root: string, folder: string, above: readonly string[] = []): Promise<string[]> {
  let entries: string[];
  try {
    entries = await readdir(join(root, folder));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') return [folder];
    throw error;
  }
  const real = await realpath(join(root, folder));
  if (above.includes(real)) return [];
  const files: string[] = [];
  for (const name of entries) {
    if (isHidden(name)) continue;
    const path = folder === '' ? name : `${folder}/${name}`;
    const info = await stat(join(root, path)).catch(() => undefined); // follows links; broken ones are no files
    if (info?.isDirectory()) files.push(...(await listFiles(root, path, [...above, real])));
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
    const Refusal = isPassing(error) ? UnavailableError : StoreError;
    throw new Refusal('store', `cannot ${verb} "${path}": ${message.split(',')[0]}. ${hint}.`, { cause: error });
  }
}
