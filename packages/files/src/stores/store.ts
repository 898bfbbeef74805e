import { FileAccessError, FileTooLargeError, StoreError } from '../errors.js';

/** A span of bytes of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** How much of a file a reader is ready for. */
export interface ReadOptions {
  /**
   * The largest size that the whole file may have, from an index or a limit of the reader's. A larger file that is read
   * whole, or that a server sends whole in place of a span, is a `FileTooLargeError` before it takes more memory than this.
   */
  readonly maxBytes?: number;
}

/** What {@link FileStore.lock} gives: nobody else gets the lock before `release`. */
export interface FileLock {
  /** Gives the lock back, so that others can take it. */
  release(): Promise<void>;
}

/**
 * Files to read by relative path, wherever they are: a folder, memory, a web server. Paths are relative, with `/`
 * between segments; `..`, `.`, empty segments and absolute paths are a {@link FileAccessError}. Reading what is not
 * there is a `FileNotFoundError`.
 */
export interface FileSource {
  /** The whole file or a span of it. A span that is not wholly inside the file is a {@link StoreError}. */
  read(path: string, range?: ByteRange, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** The file's size in bytes. */
  size(path: string): Promise<number>;
  /** Whether there is a file (not a folder) of this path. */
  exists(path: string): Promise<boolean>;
  /**
   * Where a path of the store really is: an id for each folder from the outermost one to the path itself (`''` is the store).
   * One folder has one id, whatever links or spelling lead to it; what is not there yet has an id made of its name. So A
   * lies in B if the last id of B is among the ids of A. A store without places of its own (a web server) leaves it out.
   */
  ancestry?(path?: string): Promise<readonly string[]>;
}

/**
 * What is written to a file: its bytes, or parts of them in their order. The next part is asked for when the one before is
 * written, so a file need not fit into memory.
 */
export type FileContent = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Files to read and write: a folder, memory, a browser's private files. Folders exist as far as files do. */
export interface FileStore extends FileSource {
  /**
   * Writes a whole file, atomically: after a crash, or if its parts end with an error, there is the old file or the new one,
   * never a part.
   */
  write(path: string, content: FileContent): Promise<void>;
  /** Adds text (UTF-8) to the end of a file, which is created if it is not there. */
  append(path: string, text: string): Promise<void>;
  /** All files in a folder and the folders below it, ordered by UTF-16 code units. `''` is the store itself. */
  list(folder?: string): Promise<string[]>;
  /**
   * The names of what is directly in a folder, in no order, folders with a `/` at their end. Unlike `list` it names what is
   * no file as well: links to nothing, pipes, empty folders. Without it, `list` must name everything there is.
   */
  entries?(folder?: string): Promise<string[]>;
  /** Removes a file, or a folder with all in it. What is not there is removed already. Folders left empty go, too. */
  remove(path: string): Promise<void>;
  /** Moves a file (an old file of that name is replaced) or a folder (there must be nothing of that name). */
  move(from: string, to: string): Promise<void>;
  /**
   * Takes the lock of a folder, so that two processes do not write into one run.
   * @throws FileLockedError if another holder lives.
   */
  lock(folder?: string): Promise<FileLock>;
}

/** `path` if it is a path of a store's file; else a {@link FileAccessError}. */
export function checkPath(path: string): string {
  if (isPath(path)) return path;
  const hint = 'Use names with "/" between them, without "." or ".."';
  throw new FileAccessError('store', `${JSON.stringify(path)} is not a path inside the store. ${hint}.`);
}

/** Whether `path` is a path of a store's file: it stays inside the store on every system. */
export function isPath(path: string): boolean {
  const outside = path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
  // A backslash or a drive letter would be a way out on Windows; NUL ends a path for the system.
  return !outside && !/[\\\0]/.test(path) && !/^[a-zA-Z]:/.test(path);
}

/** Like {@link checkPath}; `''` is the store itself. */
export function checkFolder(folder: string): string {
  return folder === '' ? '' : checkPath(folder);
}

/** Whether `path` is `folder` or lies in it. */
export function isInside(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** What is directly in a folder of a store, as {@link FileStore.entries} has it. */
export async function entriesOf(store: FileStore, folder = ''): Promise<string[]> {
  if (store.entries) return store.entries(folder);
  const start = folder === '' ? 0 : folder.length + 1;
  const names = (await store.list(folder)).map((path) => path.slice(start).replace(/\/.*$/, '/'));
  return [...new Set(names)].filter((name) => name !== '');
}

/** Throws a {@link StoreError} if a span is not wholly inside a file of `size` bytes. */
export function checkRange(path: string, { offset, length }: ByteRange, size: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (whole && offset + length <= size) return;
  const asked = `bytes [${offset}, ${offset + length}) of "${path}" were asked for`;
  throw new StoreError('store', `${asked}, but it has ${size}. Is the file cut off?`);
}

/** Throws a {@link FileTooLargeError} if a file of `size` bytes that is to be read whole is larger than its reader takes. */
export function checkSize(path: string, { maxBytes = Number.POSITIVE_INFINITY }: ReadOptions, size: number): void {
  if (size <= maxBytes) return;
  throw new FileTooLargeError(`"${path}" has ${size} bytes; at most ${maxBytes} are read of it.`, size);
}
