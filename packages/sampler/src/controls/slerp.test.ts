import { hostNormal, key } from '@paris/tensor';
import { expect, it } from 'vitest';
import { slerp } from './slerp.js';

const [a, b] = [hostNormal(key(1), 4096), hostNormal(key(2), 4096)];
const length = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));

it('keeps the length of noise all the way, and both ends', () => {
  expect(slerp(a, b, 0)).toEqual(a);
  expect(slerp(a, b, 1)).toEqual(b);
  for (const share of [0.25, 0.5, 0.75]) {
    expect(length(slerp(a, b, share)) / ((1 - share) * length(a) + share * length(b))).toBeCloseTo(1, 2);
    expect(length(a.map((v, i) => (1 - share) * v + share * b[i]!)) / length(a)).toBeLessThan(0.85);
  }
});

it('joins parallel noise by a line', () => {
  expect(slerp(a, a, 0.3)).toEqual(a);
  const half = slerp(
    a,
    a.map((v) => -v),
    0.5,
  );
  expect(half.every(Number.isFinite)).toBe(true);
});
