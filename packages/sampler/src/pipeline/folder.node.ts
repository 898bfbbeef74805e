import { fileURLToPath } from 'node:url';
import { type FileSource, withoutSecrets } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { ValueError } from '@paris/tensor';

/** A folder of the file system: a path, or a `file:` URL. @throws ValueError for a URL of another machine */
export function openFolder(path: string): FileSource | undefined {
  return nodeStore(path.startsWith('file:') ? pathOf(path) : path);
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const what = `${withoutSecrets(url)} is no folder of this machine`;
    throw new ValueError('loadPipeline', `${what}. Give its path, or file:///path/to/folder.`, { cause });
  }
}
