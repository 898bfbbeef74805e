// In bundles for browsers a page imports what reads models in other people's forms itself, as `foreignModels` of
// @paris/sampler/import, for the reason that pipeline/encoders.ts gives.
import type { ForeignReader } from '../foreign/reader.js';

export const foreignReader: (() => Promise<ForeignReader>) | undefined = undefined;
