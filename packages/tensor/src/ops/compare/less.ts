import { comparison } from './comparison.js';

/** a < b, elementwise, as bool. */
export const less = comparison('less', (a, b) => {
  'use gpu';
  return a < b;
});
