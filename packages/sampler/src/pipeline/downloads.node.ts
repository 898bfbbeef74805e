import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type DownloadCache, memoryCache } from '@paris/files/download';
import { downloadFolder } from '@paris/files/node';

/** Where downloads are kept: PARIS_CACHE, or a folder of this user's; in memory where that cannot be written. */
export function downloadCache(): DownloadCache {
  const folder = downloadsPath();
  return isWritable(folder) ? downloadFolder(folder) : memoryCache();
}

/** The folder of downloads, whether it is there or not. */
export function downloadsPath(): string {
  const { PARIS_CACHE, XDG_CACHE_HOME } = process.env;
  return PARIS_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'paris');
}

/** Images of containers have file systems that are only read. */
function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
