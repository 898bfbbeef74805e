import { comparison } from './comparison.js';

/** a = b, elementwise, as bool. */
export const equal = comparison('equal', (a, b) => {
  'use gpu';
  return a === b;
});
