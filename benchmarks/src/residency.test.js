// The residency benchmark's short version: an expert is loaded at most once a step, and the last ones of a step not in the next.
import { expect, it } from 'vitest';
import { residency } from './residency.js';

it('with room for n of eight, a step loads 8 − n, and draws the same pictures', async () => {
  const { expertMB, rows } = /** @type {any} */ (await residency({ pictures: 4, steps: 3, hiddenSize: 32, depth: 1 }));
  const told = rows.map((/** @type {any} */ { resident, loads, samePictures }) => [resident, loads, samePictures]);
  expect(told).toEqual([
    [8, 0, true],
    [4, 12, true],
    [2, 18, true],
    [1, 21, true],
  ]);
  expect(expertMB).toBeGreaterThan(0.05);
  for (const { loads, loadedMB } of rows) expect(loadedMB / Math.max(loads, 1)).toBeCloseTo(loads && expertMB, 1);
});
