import { comparison } from './comparison.js';

/** a > b, elementwise, as bool. */
export const greater = comparison('greater', (a, b) => {
  'use gpu';
  return a > b;
});
