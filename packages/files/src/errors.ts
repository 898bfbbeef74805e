// The root of all errors that Paris throws on purpose, and the errors of files. A message reads `[tag] what, got, fix.`;
// a program may depend on the class and its `code`. `internal:` after the tag marks a bug of Paris.

/** The root of all errors of Paris. `code` is stable across versions, the message is not. */
export class ParisError extends Error {
  readonly code: string = 'PARIS';
  /** What the message is about: an operation, a command, a file. */
  readonly tag: string;

  /**
   * @param tag - what failed, as the user calls it: `matmul`, `openDevice`
   * @param message - what is wrong, what was got, and how to fix it
   */
  constructor(tag: string, message: string, options?: ErrorOptions) {
    super(`[${tag}] ${message}`, options);
    this.tag = tag;
    this.name = new.target.name;
  }
}

/** A value out of its domain. */
export class ValueError extends ParisError {
  override readonly code = 'VALUE';
}

/** A file of weights or a run that is not what was expected. */
export class CheckpointError extends ParisError {
  override readonly code = 'CHECKPOINT';
}

/** A file could not be read or written: the cause says what the system or the server answered. */
export class StoreError extends ParisError {
  override readonly code: string = 'STORE';
}

/** There is no file of this path. */
export class FileNotFoundError extends StoreError {
  override readonly code = 'FILE_NOT_FOUND';
}

/** A path outside what the store may touch. */
export class FileAccessError extends StoreError {
  override readonly code = 'FILE_ACCESS';
}

/** A folder that another process is working in. */
export class FileLockedError extends StoreError {
  override readonly code = 'FILE_LOCKED';
}

export function notFound(path: string, options?: ErrorOptions): FileNotFoundError {
  return new FileNotFoundError('store', `there is no file "${path}". Check the path, or make the file first.`, options);
}
