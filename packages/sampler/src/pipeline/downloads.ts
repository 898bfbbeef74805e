import { browserCache, type DownloadCache } from '@paris/files/download';

/** Where downloads are kept: in the browser. */
export function downloadCache(): DownloadCache {
  return browserCache();
}
