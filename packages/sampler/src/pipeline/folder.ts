import { type FileStore, httpStore } from '@paris/tensor/store';

/** Where there are no folders, a path is a URL relative to the page. */
export function openFolder(path: string): FileStore {
  return httpStore(path);
}
