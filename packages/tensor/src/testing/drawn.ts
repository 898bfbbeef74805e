// Weights of full-size networks for tests: drawn on both sides, here and in tools/fixtures/full_depth.py, so that no file holds them.
import { toHalf } from '@paris/files';

/**
 * Uniform in [−2^exponent, 2^exponent), in steps that f16 holds exactly: element i is a hash of i and the name.
 * @returns as many numbers as the shape has
 */
export function drawnNumbers(name: string, shape: readonly number[], exponent: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(shape.reduce((size, n) => size * n, 1));
  const step = 2 ** (exponent - 10);
  forEachDrawn(name, data.length, (i, whole) => {
    data[i] = whole * step;
  });
  return data;
}

/** The same numbers as f16's bits, for files of weights. */
export function drawnHalves(name: string, shape: readonly number[], exponent: number): Uint16Array<ArrayBuffer> {
  const bits = Uint16Array.from({ length: 2048 }, (_, i) => toHalf((i - 1024) * 2 ** (exponent - 10)));
  const data = new Uint16Array(shape.reduce((size, n) => size * n, 1));
  forEachDrawn(name, data.length, (i, whole) => {
    data[i] = bits[whole + 1024]!;
  });
  return data;
}

/** Whole numbers from −1024 to 1023. */
function forEachDrawn(name: string, count: number, take: (i: number, whole: number) => void): void {
  let seed = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  for (let i = 0; i < count; i++) {
    let h = (i + seed) | 0; // murmur3's finaliser
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    take(i, (h >>> 21) - 1024);
  }
}

/** Exponents with which matrices keep about the size of what they are given, and what is added is of a quarter to a half. */
export function drawnExponent(name: string, shape: readonly number[]): number {
  const inputs = shape.slice(1).reduce((size, n) => size * n, 1);
  if (name.endsWith('weight')) return Math.round(Math.log2(Math.sqrt(3 / inputs)));
  return name === 'pos_embed' ? -1 : -2;
}
