// The root of all errors that Paris throws on purpose, and the errors of files. A message reads `[tag] what, got, fix.`;
// a program may depend on the class and its `code`. `internal:` after the tag marks a bug of Paris.

import { retryAfterMs } from './http/retry-after.js';
import { printable } from './printable.js';

/**
 * The root of all errors of Paris. `code` is stable across versions, the message is not. A message shows control characters
 * as `printable` does, since it may quote names from files and answers of servers, and Node prints it as it is.
 */
export class ParisError extends Error {
  readonly code: string = 'PARIS';
  /** What the message is about: an operation, a command, a file. */
  readonly tag: string;

  /**
   * @param tag - what failed, as the user calls it: `matmul`, `openDevice`
   * @param message - what is wrong, what was got, and how to fix it
   */
  constructor(tag: string, message: string, options?: ErrorOptions) {
    super(`[${tag}] ${message.split('\n').map(printable).join('\n')}`, options);
    this.tag = tag;
    this.name = new.target.name;
  }
}

/** A value out of its domain. */
export class ValueError extends ParisError {
  override readonly code: string = 'VALUE';
}

/**
 * Checks an option that is one of some names, for callers whose types nobody checks: another name would be taken for one of them.
 * @param tag - what was called
 * @param name - the option
 * @param Kind - of error, where callers know one of their own
 * @throws ValueError, or that kind, that lists the names
 */
export function checkName(
  tag: string,
  name: string,
  value: string,
  known: readonly string[],
  Kind: typeof ParisError = ValueError,
): void {
  if (known.includes(value)) return;
  throw new Kind(tag, `${name} is "${value}". Give ${known.map((each) => `"${each}"`).join(' or ')}.`);
}

/** A config, in a file or an object, that describes nothing that could work. */
export class ConfigError extends ValueError {
  override readonly code = 'CONFIG';
}

/** A file of weights or a run that is not what was expected. */
export class CheckpointError extends ParisError {
  override readonly code = 'CHECKPOINT';
}

/** A file could not be read or written: the cause says what the system or the server answered. */
export class StoreError extends ParisError {
  override readonly code: string = 'STORE';
}

/** A server that nobody reaches or that is too busy, a full disk, too many open files: the same may work later. */
export class UnavailableError extends StoreError {
  override readonly code = 'UNAVAILABLE';
  /** Milliseconds after which the server wants to be asked again, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(tag: string, message: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(tag, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A file that is read in spans became another one in between. */
export class FileChangedError extends UnavailableError {}

/** There is no file of this path. */
export class FileNotFoundError extends StoreError {
  override readonly code = 'FILE_NOT_FOUND';
}

/** A file has more bytes than its reader takes; `sizeBytes` says how many, where it is known. */
export class FileTooLargeError extends StoreError {
  override readonly code = 'FILE_TOO_LARGE';
  readonly sizeBytes: number | undefined;

  constructor(message: string, sizeBytes?: number) {
    super('store', message);
    this.sizeBytes = sizeBytes;
  }
}

/** A path outside what the store may touch. */
export class FileAccessError extends StoreError {
  override readonly code = 'FILE_ACCESS';
}

/** A folder that another process is working in. */
export class FileLockedError extends StoreError {
  override readonly code = 'FILE_LOCKED';
}

/** What a server refused: for now, if its status says so (429 and all from 500 on; RFC 9110, RFC 6585). */
export function refusedBy(status: number, message: string, headers?: Headers): StoreError {
  if (status !== 429 && status < 500) return new StoreError('store', message);
  return new UnavailableError('store', message, { retryAfterMs: headers && retryAfterMs(headers) });
}

export function notFound(path: string, options?: ErrorOptions): FileNotFoundError {
  return new FileNotFoundError('store', `there is no file "${path}". Check the path, or make the file first.`, options);
}
