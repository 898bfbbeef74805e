// Random numbers on the host, one after the other, as a pure function of a key.
import { hostUniform, type Key } from '@paris/tensor';

/** Uniform numbers in [0, 1), multiples of 2⁻²⁴: block b of 1024 of them is drawn with `key.foldIn(b)`. */
export function draws(key: Key): () => number {
  let count = 0;
  let block: Float32Array = new Float32Array(0);
  return () => {
    if (count % 1024 === 0) block = hostUniform(key.foldIn(count / 1024), 1024);
    return block[count++ % 1024]!;
  };
}

/** A whole number in [0, bound). */
export function drawIndex(next: () => number, bound: number): number {
  return Math.min(Math.floor(next() * bound), bound - 1);
}

/** Fisher–Yates, in place. */
export function shuffle<T extends { length: number; [index: number]: number }>(list: T, next: () => number): T {
  for (let i = list.length - 1; i > 0; i--) {
    const j = drawIndex(next, i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

/** An index drawn with probability proportional to its weight; weights of zero are never drawn. */
export function drawWeighted(weights: ArrayLike<number>, next: () => number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  let rest = next() * total;
  let last = -1;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! <= 0) continue;
    last = i;
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return last; // −1 if all weights are zero; else rounding has left a remainder beyond the last one
}
