import { describe, expect, it } from 'vitest';
import { fromHalf, toHalf } from './half.js';

describe('half floats', () => {
  it('come back the same from every bit pattern', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
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
