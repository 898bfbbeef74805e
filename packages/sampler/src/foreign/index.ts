// @paris/sampler/import: models in somebody else's form, written down in ours.
export { type ImportOptions, importModel } from './import.js';
export { foreignModels } from './load.js';
export type { ForeignReader } from './reader.js';
export type { ForeignSource } from './source.js';
