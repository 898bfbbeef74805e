// @paris/files/node: a folder of this machine as a store.
export { nodeStore } from './node-store.js';
export { replaceFile, tryReplaceFile } from './replace-file.js';
