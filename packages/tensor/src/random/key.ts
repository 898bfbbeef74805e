import { ValueError } from '../errors.js';
import { philox4x32 } from './philox.js';

/**
 * The last counter word says what a draw is for, so that the elements of a tensor, the keys folded from a key, and
 * the keys split from it never share a counter.
 */
export const DOMAIN = { elements: 0, foldIn: 1, split: 2 } as const;

/**
 * A random key: two unsigned 32-bit words. It holds no state: the same key gives the same numbers each time, so use a
 * key once and derive others with {@link Key.split} and {@link Key.foldIn}.
 */
export class Key {
  readonly words: readonly [number, number];

  /** @throws ValueError if a word is not an unsigned 32-bit integer. */
  constructor(words: readonly [number, number]) {
    for (const word of words) {
      if (word >>> 0 !== word) {
        throw new ValueError('key', `a word must be an integer in [0, 2³²), got ${word}. Make keys with key(seed).`);
      }
    }
    this.words = [words[0], words[1]];
  }

  /** `count` independent keys. The i-th does not depend on `count`. */
  split(count: number): Key[] {
    checkIndex('split', count);
    return Array.from({ length: count }, (_, i) => derive(this, i, DOMAIN.split));
  }

  /** The key of step, picture or cluster `index`: an integer in [0, 2⁵³). */
  foldIn(index: number): Key {
    checkIndex('foldIn', index);
    return derive(this, index, DOMAIN.foldIn);
  }

  /** One number in [0, 1), a multiple of 2⁻²⁴: element 0 of `uniform(key, shape)`. */
  uniform(): number {
    return bitsToUniform(philox4x32([0, 0, 0, DOMAIN.elements], this.words)[0]);
  }
}

/**
 * The key of a seed: an integer in [0, 2⁵³), low word first.
 * @throws ValueError for any other number.
 */
export function key(seed: number): Key {
  checkIndex('key', seed);
  return new Key(lowHigh(seed));
}

/** The upper 24 bits of a word as a float in [0, 1): exact in f32, so the same on every device. */
export function bitsToUniform(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

function derive(from: Key, index: number, domain: number): Key {
  const [low, high] = lowHigh(index);
  const words = philox4x32([low, high, 0, domain], from.words);
  return new Key([words[0], words[1]]);
}

function lowHigh(value: number): [number, number] {
  return [value % 2 ** 32, Math.floor(value / 2 ** 32)];
}

function checkIndex(tag: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new ValueError(tag, `expected an integer in [0, 2⁵³), got ${value}. Round it or take its absolute value.`);
}
