// Which pictures are taken: by what is said of them, before they are decoded, and by their size.
import { checkName } from '@paris/files';
import type { PictureWords } from './fields.js';

/** Pictures that do not meet all of these are skipped, with the reason. */
export interface PictureFilter {
  /** Least pixels of the shorter edge, as the picture is stored. */
  readonly minSide?: number | undefined;
  /** Most times that one edge is as long as the other. */
  readonly maxAspect?: number | undefined;
  /** Least score; a picture without one is skipped. */
  readonly minScore?: number | undefined;
  /** Licences that are accepted, such as SPDX's `CC0-1.0`, in any case; a picture without one is skipped. */
  readonly licences?: readonly string[] | undefined;
  /** What must be said of a picture. */
  readonly needs?: readonly ('caption' | 'category')[] | undefined;
}

const missing = { caption: 'no caption, which --text encodes', category: 'no class, which --labels numbers' } as const;

/** @throws ValueError for something that cannot be said of a picture */
export function checkNeeds({ needs = [] }: PictureFilter): void {
  for (const need of needs) checkName('prepare', 'a need', need, Object.keys(missing));
}

/** Why a picture is not taken for what is said of it; undefined if it is. */
export function refusedByWords(
  words: PictureWords,
  { minScore, licences, needs = [] }: PictureFilter,
): string | undefined {
  const { score, licence } = words;
  const lacking = needs.find((need) => !words[need]); // a row of a table may have an empty caption
  if (lacking) return missing[lacking];
  if (licences && !licences.some((accepted) => accepted.toLowerCase() === licence?.toLowerCase())) {
    return licence === undefined ? 'no licence' : `licence ${licence}`;
  }
  if (minScore === undefined) return undefined;
  const value = score === undefined ? Number.NaN : Number(score);
  if (Number.isNaN(value)) return score === undefined ? 'no score' : `score ${score}, which is no number`;
  return value < minScore ? `a score below ${minScore}` : undefined;
}

/** Why a picture is not taken for its size in pixels; undefined if it is. */
export function refusedBySize(
  width: number,
  height: number,
  { minSide = 0, maxAspect = Number.POSITIVE_INFINITY }: PictureFilter,
): string | undefined {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (short < minSide) return `an edge of fewer than ${minSide} pixels`;
  return long > maxAspect * short ? `one edge more than ${maxAspect} times as long as the other` : undefined;
}
