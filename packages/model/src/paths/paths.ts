import { cosinePath } from './cosine.js';
import { linearPath } from './linear.js';
import { findPath, type NoisePath } from './path.js';

/** The built-in paths that have a name of their own; those of DDPM's betas are made from a name, see `ddpmPathByName`. */
export const noisePaths: readonly NoisePath[] = [linearPath, cosinePath];

/**
 * A path by the name that an expert's objective gives, among the built-in ones and `custom`.
 * @throws ValueError for an unknown name, with the known ones
 */
export function noisePath(name: string, custom: readonly NoisePath[] = []): NoisePath {
  return findPath(name, [...custom, ...noisePaths]);
}
