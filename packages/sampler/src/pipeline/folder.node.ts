import { fileURLToPath } from 'node:url';
import type { FileSource } from '@paris/files';
import { nodeStore } from '@paris/files/node';

/** A folder of the file system: a path, or a `file:` URL. */
export function openFolder(path: string): FileSource {
  return nodeStore(path.startsWith('file:') ? fileURLToPath(path) : path);
}
