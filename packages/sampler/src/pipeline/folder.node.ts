import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/tensor/node';
import type { FileSource } from '@paris/tensor/store';

/** A folder of the file system: a path, or a `file:` URL. */
export function openFolder(path: string): FileSource {
  return nodeStore(path.startsWith('file:') ? fileURLToPath(path) : path);
}
