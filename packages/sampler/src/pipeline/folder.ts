import type { FileSource } from '@paris/files';

/** Where there are no folders, a path is a URL relative to the page: undefined. */
export function openFolder(_: string): FileSource | undefined {
  return undefined;
}
