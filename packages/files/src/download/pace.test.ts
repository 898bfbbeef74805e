import { expect, it } from 'vitest';
import { timeLeft } from './pace.js';

it('estimates once two seconds of bytes have arrived, from the last ten seconds', () => {
  let now = 0;
  const left = timeLeft(() => now);
  const at = (seconds: number, loaded: number) => {
    now = 1000 * seconds;
    return left(loaded, 1000);
  };
  expect(at(0, 500)).toBeUndefined(); // kept from before: no pace
  expect(at(1, 510)).toBeUndefined();
  expect(at(2, 520)).toBe(48);
  expect(at(3, 520)).toBe(72); // slower
  for (let second = 4; second < 20; second++) at(second, 520 + 30 * (second - 3));
  expect(at(20, 1000)).toBe(0);
  const stalled = timeLeft(() => now);
  stalled(10, 100);
  now += 60_000;
  expect(stalled(10, 100)).toBeUndefined();
});
