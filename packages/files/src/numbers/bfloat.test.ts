import { expect, it } from 'vitest';
import { fromBfloats, toBfloat, toBfloats } from './bfloat.js';

const fromBfloat = (bits: number) => fromBfloats(Uint16Array.of(bits))[0]!;

it('every bfloat16 comes back, and f32 rounds to the nearest, ties to even', () => {
  const lost = Array.from({ length: 0x7f80 }, (_, bits) => bits).filter((bits) => {
    const value = fromBfloat(bits);
    return toBfloat(value) !== bits || toBfloat(-value) !== (bits | 0x8000);
  });
  expect(lost).toEqual([]);
  expect(fromBfloat(0x3f80)).toBe(1);
  expect(toBfloat(1 + 2 ** -8)).toBe(0x3f80); // a tie: down, to even
  expect(toBfloat(1 + 3 * 2 ** -8)).toBe(0x3f82); // a tie: up, to even
  expect(toBfloat(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
  expect(toBfloat(3.4e38)).toBe(0x7f80);
  expect(fromBfloat(toBfloat(Number.NaN))).toBeNaN();
  expect([...toBfloats([1, -2.5])]).toEqual([0x3f80, 0xc020]);
});
