/** 16-bit floats as bits, to and from f32: IEEE 754 binary16, and bfloat16 (the upper half of an f32). */

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The value of a binary16 bit pattern. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // zero and subnormals
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest binary16, ties to even; beyond 65504 (by half a step) infinity. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude >= 0x38800000) {
    // Normal: the exponent's bias falls by 112, the fraction by 13 bits; a carry runs into the exponent, rightly.
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Subnormal: a whole number of 2⁻²⁴. Adding ½ as an f32 puts that number, rounded to even, into the last bits.
  word[0] = magnitude;
  float[0] = float[0]! + 0.5;
  return sign | (word[0]! - 0x3f000000);
}

/** The value of a bfloat16 bit pattern. */
export function bfloatToFloat(bfloat: number): number {
  word[0] = bfloat << 16;
  return float[0]!;
}

/** The nearest bfloat16, ties to even. */
export function floatToBfloat(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // NaN stays NaN
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
