// Which pictures no training sees: decided per group, by a hash, so that it depends on nothing but the seed and the
// group's name. Adding pictures never moves others across the line.
import { sha256OfPieces } from '@paris/files';

/**
 * For each group whether it is held out: a uniform number in [0, 1) from SHA-256(seed, group), compared with
 * `fraction`.
 */
export async function heldOutGroups(groups: Iterable<string>, fraction: number, seed: number): Promise<Set<string>> {
  const held = new Set<string>();
  for (const group of new Set(groups)) {
    if (await isHeldOut(group, fraction, seed)) held.add(group);
  }
  return held;
}

/** Of one group. */
export async function isHeldOut(group: string, fraction: number, seed: number): Promise<boolean> {
  const digest = await sha256OfPieces([encoder.encode(`${seed}\0${group}`)]);
  return Number.parseInt(digest.slice(0, 12), 16) / 2 ** 48 < fraction;
}

const encoder = new TextEncoder();
