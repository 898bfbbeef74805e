// Options that have an entry for each picture.
import type { GenerateOptions, Origin } from '../pipeline/options.js';
import type { Tools } from './controls.js';

/** Whose noise each picture starts from. Variations and interpolations all start from the first picture's. */
export function originsOf(
  { seed = 0, variation, interpolate }: GenerateOptions,
  prompts: readonly string[],
  refuse: Tools['refuse'],
): readonly Origin[] {
  if (typeof seed === 'number') return prompts.map((_, i) => ({ seed, picture: variation || interpolate ? 0 : i }));
  return checked('seed', seed, prompts, refuse).map((each) =>
    typeof each === 'number' ? { seed: each, picture: 0 } : each,
  );
}

/** What each picture is guided away from. */
export function negativesOf(
  { negativePrompt = '' }: GenerateOptions,
  prompts: readonly string[],
  refuse: Tools['refuse'],
): readonly string[] {
  if (typeof negativePrompt === 'string') return prompts.map(() => negativePrompt);
  return checked('negativePrompt', negativePrompt, prompts, refuse);
}

function checked<T>(
  name: string,
  given: readonly T[],
  { length }: readonly string[],
  refuse: Tools['refuse'],
): readonly T[] {
  if (given.length === length) return given;
  return refuse(`${name} has ${given.length} entries for ${length} pictures. Give one for each`);
}
