import { CheckpointError } from '../errors.js';
import { quote } from '../safetensors/header.js';

/** Refuses a file in one sentence that names it. */
export function fail(path: string, what: string, cause?: unknown): never {
  throw new CheckpointError('checkpoint', `${quote(path)}: ${what}`, cause === undefined ? undefined : { cause });
}
