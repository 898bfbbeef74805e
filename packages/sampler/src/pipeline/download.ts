// A model's files on a server: a chunk of its own, for programs that load from one.
import type { FileSource } from '@paris/files';
import { cachedStore, type DownloadCache, type DownloadProgress, memoryCache } from '@paris/files/download';
import { downloadCache } from '#downloads';

export { timeLeft } from '@paris/files/download';

/** How a server's files are read, and what is kept of them. */
export interface DownloadOptions {
  /** Sent with each request to the source's own server, and to no other: for a token, say. A hub gets HF_TOKEN without. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Where downloads are kept, see `cachedStore`; false for nowhere. Default: in Node the folder PARIS_CACHE, or `~/.cache/paris`;
   * in a page the browser's cache.
   */
  readonly cache?: DownloadCache | false | undefined;
  /** Called as bytes arrive from a server, not for those that are kept from before. */
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Ends downloads with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The files below a URL. */
export function download(url: string | URL, options: DownloadOptions = {}): FileSource {
  const { headers, cache, onDownload, signal } = options;
  const kept = cache === false ? memoryCache() : (cache ?? downloadCache());
  return cachedStore(url, kept, { ...(headers && { headers }), onProgress: onDownload, signal });
}
