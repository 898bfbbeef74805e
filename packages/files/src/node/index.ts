// @paris/files/node: a folder of this machine as a store, and as what keeps downloads.
export type { DownloadCache } from '../download/records.js';
export {
  type Cleaned,
  type CleanOptions,
  cleanDownloads,
  downloadFolder,
  type KeptSource,
  listDownloads,
} from './kept-downloads.js';
export { nodeStore } from './node-store.js';
export { isPassing } from './passing.js';
export { replaceFile, tryReplaceFile } from './replace-file.js';
