import { describe, expect, it } from 'vitest';
import { fromHalf, fromHalves, toHalf, toHalves } from './half.js';

describe('half floats', () => {
  it('come back the same from every bit pattern', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
  });

  it('mean what IEEE 754 says, one by one and as an array', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const expected = Float32Array.from(all, (bits) => {
      const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
      if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
      return sign * (exponent ? 1024 + mantissa : mantissa) * 2 ** (Math.max(exponent, 1) - 25);
    });
    const values = fromHalves(all);
    const wrong = [...all].filter((i) => !(Object.is(values[i], expected[i]) && Object.is(fromHalf(i), expected[i])));
    expect(wrong).toEqual([]);
    const numbers = values.filter((value) => !Number.isNaN(value));
    expect(fromHalves(toHalves(numbers))).toEqual(numbers);
  });

  it('round to nearest even and overflow to infinity', () => {
    expect(fromHalf(toHalf(1 + 2 ** -11))).toBe(1);
    expect(fromHalf(toHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(fromHalf(toHalf(65519))).toBe(65504);
    expect(fromHalf(toHalf(65520))).toBe(Number.POSITIVE_INFINITY);
    expect(fromHalf(toHalf(2 ** -25))).toBe(0);
    expect(fromHalf(toHalf(2 ** -25 + 2 ** -48))).toBe(2 ** -24);
    expect(fromHalf(toHalf(3 * 2 ** -25))).toBe(2 ** -23);
    expect(fromHalf(toHalf(Number.NaN))).toBeNaN();
  });
});
