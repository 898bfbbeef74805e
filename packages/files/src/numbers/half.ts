// IEEE 754 binary16 on the host, where JavaScript has no half floats everywhere yet.

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** The 16 bits of a number, rounded to nearest even; too large becomes infinity. */
export function toHalf(x: number): number {
  floatView[0] = x;
  const bits = bitsView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00; // NaN
  if (size < 0x38800000) {
    // Subnormal: a step is 2⁻²⁴, as that of an f32 between ½ and 1. So the sum with ½ is rounded to it.
    floatView[0] = Math.abs(floatView[0]) + 0.5;
    return sign | (bitsView[0]! - 0x3f000000);
  }
  // The exponent counts from 112 less. A carry out of the mantissa raises it, which is what rounding up should do.
  const half = (size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13;
  return sign | Math.min(half, 0x7c00);
}

/** The number of 16 bits. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}
