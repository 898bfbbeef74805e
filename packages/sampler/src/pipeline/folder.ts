import { type FileSource, httpStore } from '@paris/files';

/** Where there are no folders, a path is a URL relative to the page. */
export function openFolder(path: string): FileSource {
  return httpStore(path);
}
