import { comparison } from './comparison.js';

/** a ≠ b, elementwise, as bool. */
export const notEqual = comparison('notEqual', (a, b) => {
  'use gpu';
  return a !== b;
});
