// @paris/files: where bytes come from and go, with no GPU: stores, views of them, hashes, JSON from outside.
export {
  CheckpointError,
  ConfigError,
  checkName,
  FileAccessError,
  FileLockedError,
  FileNotFoundError,
  FileTooLargeError,
  ParisError,
  StoreError,
  UnavailableError,
  ValueError,
} from './errors.js';
export { sha256 } from './hash.js';
export { type Html, type HtmlValue, html, trustedHtml } from './html.js';
export { withoutSecrets } from './http/address.js';
export { patientSource, type RetryOptions } from './http/patient.js';
export { assertPublicAddress } from './http/public-address.js';
export { type HttpStoreOptions, httpStore } from './http/store.js';
export { describeIssue, type SchemaIssue } from './issue.js';
export { checkJson, encodeJson, type JsonOrigin, parseJson, readJson, type Schema, writeJson } from './json.js';
export { fromHalf, fromHalves, toHalf } from './numbers/half.js';
export { byCodeUnit, comparePaths, compareSegments } from './order.js';
export { printable } from './printable.js';
export { shortList } from './short-list.js';
export { memoryStore } from './stores/memory.js';
export { opfsStore } from './stores/opfs.js';
export {
  type ByteRange,
  checkPath,
  checkRange,
  checkSize,
  entriesOf,
  type FileContent,
  type FileLock,
  type FileSource,
  type FileStore,
  isInside,
  isPath,
  type ReadOptions,
} from './stores/store.js';
export { folderStore, onlyFolder } from './views.js';
export { sha256OfPieces } from './whole-hash.js';
