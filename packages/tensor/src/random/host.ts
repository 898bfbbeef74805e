// Random arrays on the host: the values that a tensor of the same size has. Element i takes word i mod 4 of counter
// block ⌊i / 4⌋; a normal takes the two words of its pair (elements 2p and 2p+1 share words 2p and 2p+1). Bits and
// uniforms are equal on every device, normals within 1e-6. Only +, −, ×, / and √ of doubles are used, which IEEE 754
// defines to the last bit: these arrays are the same bytes in every JavaScript engine.
import { bitsToUniform, DOMAIN, type Key } from './key.js';
import { philox4x32 } from './philox.js';

/** `size` random words: what `randomBits(key, shape)` holds. */
export function hostBits(key: Key, size: number): Uint32Array {
  const out = new Uint32Array(size);
  for (let block = 0; block * 4 < size; block++) {
    const words = philox4x32([block, 0, 0, DOMAIN.elements], key.words);
    for (let w = 0; w < 4 && block * 4 + w < size; w++) out[block * 4 + w] = words[w]!;
  }
  return out;
}

/** `size` numbers uniform in [0, 1), multiples of 2⁻²⁴: what `uniform(key, shape)` holds. */
export function hostUniform(key: Key, size: number): Float32Array {
  return Float32Array.from(hostBits(key, size), bitsToUniform);
}

/** `size` standard normal numbers, |z| < 5.77: what `normal(key, shape)` holds. */
export function hostNormal(key: Key, size: number): Float32Array {
  const bits = hostBits(key, size + (size % 2));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 2) out.set(hostNormalPair(bits[i]!, bits[i + 1]!), i);
  return out.subarray(0, size);
}

/** The numbers 0 … size − 1 in random order: what `permutation(key, size)` holds. Takes any size. */
export function hostPermutation(key: Key, size: number): Uint32Array {
  const bits = hostBits(key, size);
  const inOrder = Uint32Array.from(bits, (_, i) => i).sort((a, b) => bits[a]! - bits[b]! || a - b);
  const ranks = new Uint32Array(size);
  inOrder.forEach((i, rank) => {
    ranks[i] = rank;
  });
  return ranks;
}

/**
 * Two independent normals from two words, in double precision.
 * Box and Muller, "A note on the generation of random normal deviates", 1958: z = √(−2 ln u₁) · (cos 2πu₂, sin 2πu₂)
 * with u₁ = (⌊bits₀ / 2⁸⌋ + 1) · 2⁻²⁴ in (0, 1] and u₂ = ⌊bits₁ / 2⁸⌋ · 2⁻²⁴.
 */
export function hostNormalPair(bits0: number, bits1: number): [number, number] {
  const radius = Math.sqrt(-2 * log((bits0 >>> 8) + 1, 24));
  const [cos, sin] = turn(bits1 >>> 8);
  return [radius * cos, radius * sin];
}

/** ln(n · 2^−shift) for an integer n ≥ 1: n = 2^e · m with m in [√½, √2), and ln m = 2 atanh((m − 1) / (m + 1)). */
function log(n: number, shift: number): number {
  let exponent = 31 - Math.clz32(n);
  let m = n / 2 ** exponent;
  if (m > Math.SQRT2) {
    m /= 2;
    exponent += 1;
  }
  const s = (m - 1) / (m + 1); // |s| ≤ 0.1716
  const s2 = s * s;
  let series = 0;
  for (let k = 21; k >= 1; k -= 2) series = series * s2 + 1 / k; // next term: s^23 / 23 < 2e-19
  return (exponent - shift) * Math.LN2 + 2 * s * series;
}

/** (cos, sin) of 2π · n / 2²⁴: the nearest quarter turn, and a Taylor series for the rest, at most an eighth turn. */
function turn(n: number): [number, number] {
  const quarter = (n + (1 << 21)) >>> 22;
  const t = (n - quarter * 2 ** 22) * 2 ** -22 * (Math.PI / 2); // |t| ≤ π / 4
  const t2 = t * t;
  let cos = 1;
  let sin = 1;
  for (let k = 18; k >= 2; k -= 2) {
    cos = 1 - (cos * t2) / (k * (k - 1)); // next term: t^20 / 20! < 4e-21
    sin = 1 - (sin * t2) / (k * (k + 1));
  }
  sin *= t;
  const [c, s] = quarter & 1 ? [sin, cos] : [cos, sin];
  return [(quarter + 1) & 2 ? -c : c, quarter & 2 ? -s : s];
}
