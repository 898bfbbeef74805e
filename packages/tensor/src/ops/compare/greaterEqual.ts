import { comparison } from './comparison.js';

/** a ≥ b, elementwise, as bool. */
export const greaterEqual = comparison('greaterEqual', (a, b) => {
  'use gpu';
  return a >= b;
});
