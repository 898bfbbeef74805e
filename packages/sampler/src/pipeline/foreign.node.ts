// Outside of bundles for browsers: what reads models in other people's forms is loaded where there is one.
import type { ForeignReader } from '../foreign/reader.js';

export const foreignReader: (() => Promise<ForeignReader>) | undefined = async () =>
  (await import('../foreign/load.js')).foreignModels;
