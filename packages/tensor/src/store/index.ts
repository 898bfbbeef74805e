export { FileAccessError, FileLockedError, FileNotFoundError, StoreError } from './errors.js';
export { type HttpStoreOptions, httpStore } from './http.js';
export { describeIssue, type SchemaIssue } from './issue.js';
export { memoryStore } from './memory.js';
export { type ByteRange, checkPath, type FileLock, type FileSource, type FileStore } from './store.js';
