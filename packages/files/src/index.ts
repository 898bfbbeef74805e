// @paris/files: where bytes come from and go, with no GPU: stores, views of them, hashes, JSON from outside.
export {
  CheckpointError,
  FileAccessError,
  FileLockedError,
  FileNotFoundError,
  ParisError,
  StoreError,
  ValueError,
} from './errors.js';
export { sha256 } from './hash.js';
export { describeIssue, type SchemaIssue } from './issue.js';
export { checkJson, encodeJson, type JsonOrigin, parseJson, readJson, type Schema, writeJson } from './json.js';
export { fromHalf, toHalf } from './numbers/half.js';
export { comparePaths, compareSegments } from './order.js';
export { printable } from './printable.js';
export { type HttpStoreOptions, httpStore } from './stores/http.js';
export { memoryStore } from './stores/memory.js';
export {
  type ByteRange,
  checkPath,
  entriesOf,
  type FileLock,
  type FileSource,
  type FileStore,
  isInside,
  isPath,
} from './stores/store.js';
export { folderStore, onlyFolder } from './views.js';
