import { expect, it } from 'vitest';
import { comparePaths } from './order.js';

it('comparePaths is a total order', () => {
  const paths = ['a', 'a.b', '10', '2', '02', 'a.2', 'a.10', 'b', 'a.B', '123456789012345678901', ''];
  for (const a of paths) {
    for (const b of paths) {
      expect(Math.sign(comparePaths(a, b)) + Math.sign(comparePaths(b, a))).toBe(0);
      expect(comparePaths(a, b) === 0).toBe(a === b);
      for (const c of paths) {
        if (comparePaths(a, b) < 0 && comparePaths(b, c) < 0) expect(comparePaths(a, c)).toBeLessThan(0);
      }
    }
  }
});
