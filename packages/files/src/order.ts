// The one order of dotted paths, which files, hashes and packed buffers share.

/**
 * Compares paths segment by segment: whole numbers by value (`layers.2` before `layers.10`) and before words; words by
 * UTF-16 code unit, independent of locale; a path before the paths below it.
 */
export function comparePaths(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareSegments(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** {@link comparePaths} of one segment, which has no dot. */
export function compareSegments(a: string, b: string): number {
  const [numericA, numericB] = [wholeNumber.test(a), wholeNumber.test(b)];
  if (numericA && numericB) return Number(a) - Number(b);
  if (numericA !== numericB) return numericA ? -1 : 1;
  return byCodeUnit(a, b);
}

/** Compares texts by UTF-16 code unit: the same order everywhere, which a locale's is not. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const wholeNumber = /^(?:0|[1-9]\d{0,14})$/; // up to 15 digits: exact as a number; longer ones compare as words
