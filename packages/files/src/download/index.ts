// @paris/files/download: a server's files, kept as they arrive.
export { browserCache, memoryCache } from './browser-cache.js';
export { type CachedStoreOptions, cachedStore, type DownloadProgress } from './cached.js';
export { type TimeLeft, timeLeft } from './pace.js';
export type { DownloadCache } from './records.js';
