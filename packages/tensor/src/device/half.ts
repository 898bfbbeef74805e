// IEEE 754 binary16 on the host, where JavaScript has no half floats everywhere yet.

const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** The 16 bits of a number, rounded to nearest even; too large becomes infinity. */
export function toHalf(x: number): number {
  floatView[0] = x;
  const bits = bitsView[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa ? 0x200 : 0);
  const e = exponent - 112;
  if (e >= 31) return sign | 0x7c00;
  if (e <= 0) {
    // Subnormal: the implicit one joins the mantissa, and the whole shifts right.
    if (e < -10) return sign;
    return sign | roundShift(mantissa | 0x800000, 14 - e);
  }
  // A carry out of the mantissa raises the exponent, which is what rounding up should do.
  return sign | ((e << 10) + roundShift(mantissa, 13));
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

function roundShift(x: number, by: number): number {
  const half = 2 ** (by - 1);
  const rest = x & (2 ** by - 1);
  const quotient = x >>> by;
  return rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient;
}
