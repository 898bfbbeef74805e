import { ParisError } from '../errors.js';

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
