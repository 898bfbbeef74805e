import { hostUniform, key } from '@paris/tensor';
import { expect, it } from 'vitest';
import { drawIndex, draws, drawWeighted, shuffle } from './draws.js';

it('draws goes through the blocks of its key', () => {
  const next = draws(key(5));
  const values = Array.from({ length: 1500 }, next);
  expect(values.slice(0, 1024)).toEqual([...hostUniform(key(5).foldIn(0), 1024)]);
  expect(values.slice(1024)).toEqual([...hostUniform(key(5).foldIn(1), 1024).subarray(0, 476)]);
});

it('drawIndex stays below its bound', () => {
  expect(drawIndex(() => 0, 3)).toBe(0);
  expect(drawIndex(() => 1 - 2 ** -24, 3)).toBe(2);
  expect(drawIndex(() => 1 - 2 ** -53, 2 ** 30)).toBeLessThan(2 ** 30);
});

it('shuffle keeps the elements and gives each order equally often', () => {
  const next = draws(key(1));
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = shuffle([0, 1, 2], next).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120); // 4 standard deviations
});

it('drawWeighted follows the weights, never takes a zero, and says −1 when all are', () => {
  const next = draws(key(2));
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 4000; i++) counts[drawWeighted([1, 0, 3, 0], next)]! += 1;
  expect(counts[1]! + counts[3]!).toBe(0);
  expect(Math.abs(counts[0]! - 1000)).toBeLessThan(120);
  expect(drawWeighted([0, 0], next)).toBe(-1);
  expect(drawWeighted([1, 1, 0], () => 1)).toBe(1); // a remainder left by rounding
});
