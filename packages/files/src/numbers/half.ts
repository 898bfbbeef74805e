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
  const size = bits & 0x7fff;
  if (size > 0x7c00) return Number.NaN;
  if (size < 0x400) return (bits & 0x8000 ? -size : size) * 2 ** -24; // subnormal; −0 of its own sign
  // As in toHalf; the largest exponent, infinity's, is 255 there.
  bitsView[0] = ((bits & 0x8000) << 16) | (size === 0x7c00 ? 0x7f800000 : (size << 13) + 0x38000000);
  return floatView[0]!;
}

/** All numbers of an array of halves. A loop: `TypedArray.from` with a function takes fifteen times as long. */
export function fromHalves(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) numbers[i] = fromHalf(bits[i]!);
  return numbers;
}

/** {@link toHalf} of each number. */
export function toHalves(numbers: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) bits[i] = toHalf(numbers[i]!);
  return bits;
}
