import { expect, it } from 'vitest';
import { meanWeights } from './mean-weights.js';

it('is the mean over decisions, expert by expert', () => {
  const decisions = [[1, 0, 0], [0.5, 0.25, 0.25], Float32Array.of(0, 0.5, 0.5)].map((weights) => ({ weights }));
  expect(meanWeights(decisions)).toEqual([0.5, 0.25, 0.25]);
  expect(meanWeights(decisions.slice(1, 2))).toEqual([0.5, 0.25, 0.25]);
  expect(meanWeights([])).toEqual([]);
});
