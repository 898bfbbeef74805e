// The private files of a web page's origin (https://fs.spec.whatwg.org): they stay when the page is closed, and no other site sees
// them. Everything works on a page as in a worker.
import { notFound, StoreError, UnavailableError } from '../errors.js';
import { type WebLocks, webLock } from '../web-lock.js';
import {
  type ByteRange,
  checkFolder,
  checkPath,
  checkRange,
  checkSize,
  type FileContent,
  type FileStore,
  type ReadOptions,
} from './store.js';

/** Files are copied in pieces of this size. */
const pieceBytes = 16 * 2 ** 20;

/**
 * The files below a folder of the origin's private file system, in browsers. A file is replaced when all of its new content is
 * there: a page that is closed in the middle leaves the old file or none. Folders are moved file by file. Locks are those of the
 * Web Locks API: they hold between the tabs of an origin, and end with the page.
 * @param folder - a path in it; '' is all of it. It is made when something is written.
 * @throws FileAccessError if that is no path
 */
export function opfsStore(folder = ''): FileStore {
  const top = checkFolder(folder).split('/').filter(Boolean);
  const at = (path: string) => [...top, ...checkPath(path).split('/')];
  const atFolder = (path: string) => [...top, ...checkFolder(path).split('/').filter(Boolean)];
  const store: FileStore = {
    read: async (path, range, options) => guard('read', path, () => readFile(at(path), path, range, options)),
    size: async (path) => guard('read', path, async () => (await fileAt(at(path), path)).size),
    exists: async (path) => (await handleAt(at(path))) !== undefined,
    ancestry: async (path = '') => {
      const names = ['opfs', ...atFolder(path)];
      return names.map((_, i) => names.slice(0, i + 1).join('/'));
    },
    write: async (path, content) => {
      return guard('write', path, () => alone(at(path), () => replaceFile(at(path), top.length, content)));
    },
    append: async (path, text) => guard('write', path, () => alone(at(path), () => appendFile(at(path), text))),
    list: async (path = '') => (await listFiles(atFolder(path), checkFolder(path))).sort(),
    entries: async (path = '') => entriesOf(atFolder(path)),
    remove: async (path) => guard('remove', path, () => removePath(at(path), top.length)),
    move: async (from, to) => {
      checkPath(to);
      const files = await store.list(checkPath(from));
      if (files.length === 0) throw notFound(from);
      const isFile = files[0] === from;
      const there = await store.list(to);
      if (there.some((path) => !isFile || path !== to) || (to.startsWith(`${from}/`) && !isFile)) {
        throw new StoreError('store', `"${from}" cannot move to "${to}": something is there. Remove that first.`);
      }
      if (from === to) return; // a file that stays where it is: it would be removed below
      for (const path of files) {
        await store.write(to + path.slice(from.length), piecesOf(await fileAt(at(path), path)));
      }
      await store.remove(from);
    },
    lock: async (path = '') => {
      const refusal = `"${path || '.'}" is in use already. Wait for the other one to end.`;
      return webLock(navigator.locks as WebLocks, ['paris', ...atFolder(path)].join('/'), refusal);
    },
  };
  return store;
}

/** The folder of these names; undefined where it is not there. @param create - makes it */
async function folderAt(names: readonly string[], create = false): Promise<FileSystemDirectoryHandle | undefined> {
  let folder = await navigator.storage.getDirectory();
  for (const name of names) {
    const next = await folder.getDirectoryHandle(name, { create }).catch(create ? rethrow : absent);
    if (!next) return undefined;
    folder = next;
  }
  return folder;
}

async function handleAt(names: readonly string[]): Promise<FileSystemFileHandle | undefined> {
  const folder = await folderAt(names.slice(0, -1));
  return folder?.getFileHandle(names.at(-1)!).catch(absent);
}

async function fileAt(names: readonly string[], path: string): Promise<File> {
  const handle = await handleAt(names);
  if (!handle) throw notFound(path);
  return handle.getFile();
}

/** How often a file that is written to meanwhile is read again: each time, a whole write came between two calls. */
const mostReads = 20;

async function readFile(names: readonly string[], path: string, range?: ByteRange, options: ReadOptions = {}) {
  for (let reads = 1; ; reads++) {
    const file = await fileAt(names, path);
    if (range) checkRange(path, range, file.size);
    else checkSize(path, options, file.size);
    const part = range ? file.slice(range.offset, range.offset + range.length) : file;
    try {
      return new Uint8Array(await part.arrayBuffer());
    } catch (error) {
      if (reads === mostReads || !isOutdated(error)) throw error;
    }
  }
}

/** The file was replaced after the browser had looked at it. */
function isOutdated(error: unknown): boolean {
  return error instanceof DOMException && (error.name === 'NotFoundError' || error.name === 'NotReadableError');
}

/** Temporary files are ours and not the user's: they are not listed. */
const isTemporary = (name: string): boolean => name.startsWith('.paris-') && name.endsWith('.temporary');

/** An existing file is swapped by the browser. A new one is written under another name first: it would be empty until then. */
async function replaceFile(names: readonly string[], top: number, content: FileContent): Promise<void> {
  const above = names.slice(0, -1);
  const name = names.at(-1)!;
  const folder = (await folderAt(above, true))!;
  const existing = await folder.getFileHandle(name).catch(missing);
  if (existing) return fill(existing, content);
  await sweep(folder, above.join('/'));
  const temporary = `.paris-${crypto.randomUUID()}.temporary`;
  await holding([...above, temporary].join('/'), async () => {
    try {
      const handle: Movable = await folder.getFileHandle(temporary, { create: true });
      await fill(handle, content);
      const moved = await handle.move?.(name).then(
        () => true,
        () => false, // somebody else made a file of this name
      );
      if (!moved) await fill(await folder.getFileHandle(name, { create: true }), piecesOf(await handle.getFile()));
      if (!moved) await folder.removeEntry(temporary);
    } catch (error) {
      await folder.removeEntry(temporary).catch(absent);
      await removeEmptyFolders(above, top);
      throw error;
    }
  });
}

/** Not in every browser yet. */
interface Movable extends FileSystemFileHandle {
  move?(name: string): Promise<void>;
}

async function fill(handle: FileSystemFileHandle, content: FileContent): Promise<void> {
  const writable = await handle.createWritable();
  try {
    const parts = ArrayBuffer.isView(content) ? [content] : content;
    for await (const part of parts) await writable.write(part as Uint8Array<ArrayBuffer>);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => undefined);
    throw error;
  }
}

async function appendFile(names: readonly string[], text: string): Promise<void> {
  const folder = (await folderAt(names.slice(0, -1), true))!;
  const handle = await folder.getFileHandle(names.at(-1)!, { create: true });
  const { size } = await handle.getFile();
  const writable = await handle.createWritable({ keepExistingData: true });
  await writable.write({ type: 'write', position: size, data: text });
  await writable.close();
}

const swept = new Set<string>();

/** Removes what pages that were closed left half-written, once for each folder. Pages that still write hold a lock. */
async function sweep(folder: FileSystemDirectoryHandle, path: string): Promise<void> {
  if (swept.has(path)) return;
  swept.add(path);
  for await (const name of folder.keys()) {
    if (!isTemporary(name)) continue;
    const lock = `${path === '' ? '' : `${path}/`}${name}`;
    await navigator.locks.request(lock, { ifAvailable: true }, async (held) => {
      if (held) await folder.removeEntry(name).catch(absent);
    });
  }
}

/** One writer of a file at a time, in all tabs: a browser refuses to swap a file that another writer is swapping. */
function alone(names: readonly string[], work: () => Promise<void>): Promise<void> {
  return holding(`paris-write/${names.join('/')}`, work);
}

async function holding(name: string, work: () => Promise<void>): Promise<void> {
  await navigator.locks.request(name, work);
}

async function listFiles(names: readonly string[], path: string): Promise<string[]> {
  const folder = await folderAt(names);
  if (!folder) return path !== '' && (await handleAt(names)) ? [path] : [];
  const files: string[] = [];
  for await (const [name, { kind }] of folder.entries()) {
    if (isTemporary(name)) continue;
    const inner = path === '' ? name : `${path}/${name}`;
    if (kind === 'file') files.push(inner);
    else files.push(...(await listFiles([...names, name], inner)));
  }
  return files;
}

async function entriesOf(names: readonly string[]): Promise<string[]> {
  const folder = await folderAt(names);
  const found: string[] = [];
  if (!folder) return found;
  for await (const [name, { kind }] of folder.entries()) {
    if (!isTemporary(name)) found.push(kind === 'directory' ? `${name}/` : name);
  }
  return found;
}

async function removePath(names: readonly string[], top: number): Promise<void> {
  const above = names.slice(0, -1);
  const folder = await folderAt(above);
  await folder?.removeEntry(names.at(-1)!, { recursive: true }).catch(absent);
  await removeEmptyFolders(above, top);
}

/** Folders exist as far as files do: removes those that hold nothing, up to the store's own. */
async function removeEmptyFolders(names: readonly string[], top: number): Promise<void> {
  for (let length = names.length; length > top; length--) {
    const parent = await folderAt(names.slice(0, length - 1));
    if (!(await folderAt(names.slice(0, length)))) continue; // not there, or a file, which is no empty folder
    const removed = await parent?.removeEntry(names[length - 1]!).then(
      () => true,
      () => false, // something is in it
    );
    if (!removed) return;
  }
}

async function* piecesOf(file: File): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += pieceBytes) {
    yield new Uint8Array(await file.slice(at, at + pieceBytes).arrayBuffer());
  }
}

/** Nothing of this name, or something of another kind. */
function absent(error: DOMException): undefined {
  if (error.name !== 'NotFoundError' && error.name !== 'TypeMismatchError') throw error;
}

function missing(error: DOMException): undefined {
  if (error.name !== 'NotFoundError') throw error;
}

function rethrow(error: unknown): never {
  throw error;
}

/** The browser's errors in our words, with the original as the cause. */
async function guard<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const full = error.name === 'QuotaExceededError';
    const hint = full
      ? 'Free some space, or ask for more with navigator.storage.persist()'
      : 'Is it a file, and in no use?';
    const why = full ? 'the storage of this site is full' : error.name;
    const Refusal = full ? UnavailableError : StoreError;
    throw new Refusal('store', `cannot ${verb} "${path}": ${why}. ${hint}.`, { cause: error });
  }
}
