import { expect, it } from 'vitest';
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from './halves.js';

it('every binary16 comes back, and its neighbours round to the nearest, ties to even', () => {
  for (let half = 0; half < 0x7c00; half++) {
    const value = halfToFloat(half);
    const next = half === 0x7bff ? 65536 : halfToFloat(half + 1);
    expect(floatToHalf(value)).toBe(half);
    expect(floatToHalf(-value)).toBe(half | 0x8000);
    const middle = (value + next) / 2;
    expect(floatToHalf(middle)).toBe(half + (half & 1));
    expect(floatToHalf(middle - value * 1e-6 - 1e-12)).toBe(half);
    expect(floatToHalf(middle + value * 1e-6 + 1e-12)).toBe(half + 1);
  }
});

it('knows the landmarks of binary16', () => {
  expect(halfToFloat(0x0001)).toBe(2 ** -24);
  expect(halfToFloat(0x3c00)).toBe(1);
  expect(halfToFloat(0x3555)).toBe(0.333251953125);
  expect(halfToFloat(0x7bff)).toBe(65504);
  expect(halfToFloat(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
  expect(floatToHalf(1e9)).toBe(0x7c00);
  expect(Object.is(halfToFloat(0x8000), -0)).toBe(true);
  expect(halfToFloat(floatToHalf(Number.NaN))).toBeNaN();
});

it('every bfloat16 comes back, and f32 rounds to the nearest, ties to even', () => {
  for (let bits = 0; bits < 0x7f80; bits++) {
    const value = bfloatToFloat(bits);
    expect(floatToBfloat(value)).toBe(bits);
    expect(floatToBfloat(-value)).toBe(bits | 0x8000);
  }
  expect(bfloatToFloat(0x3f80)).toBe(1);
  expect(floatToBfloat(1 + 2 ** -8)).toBe(0x3f80); // a tie: down, to even
  expect(floatToBfloat(1 + 3 * 2 ** -8)).toBe(0x3f82); // a tie: up, to even
  expect(floatToBfloat(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
  expect(floatToBfloat(3.4e38)).toBe(0x7f80);
  expect(bfloatToFloat(floatToBfloat(Number.NaN))).toBeNaN();
});
