import { comparison } from './comparison.js';

/** a ≤ b, elementwise, as bool. */
export const lessEqual = comparison('lessEqual', (a, b) => {
  'use gpu';
  return a <= b;
});
