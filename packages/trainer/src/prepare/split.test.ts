import { expect, it } from 'vitest';
import { heldOutGroups } from './split.js';

const groups = Array.from({ length: 2000 }, (_, i) => `u${i.toString(16)}`);

it('holds out about the share that is asked for, by seed', async () => {
  const held = await heldOutGroups(groups, 0.1, 0);
  expect(Math.abs(held.size / groups.length - 0.1)).toBeLessThan(0.027); // 4 standard errors
  expect(await heldOutGroups(groups, 0.1, 0)).toEqual(held);
  expect(await heldOutGroups(groups, 0.1, 1)).not.toEqual(held);
  expect((await heldOutGroups(groups, 0, 0)).size).toBe(0);
  expect((await heldOutGroups(groups, 1, 0)).size).toBe(2000);
});

it('decides each group by itself: others that come or go move nothing', async () => {
  const held = await heldOutGroups(groups, 0.1, 0);
  const half = groups.slice(0, 1000);
  expect(await heldOutGroups(half, 0.1, 0)).toEqual(new Set(half.filter((group) => held.has(group))));
});
