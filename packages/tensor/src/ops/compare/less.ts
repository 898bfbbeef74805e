import type { BinaryFunction } from '../define/elementwise.js';
import { comparison } from './comparison.js';

/** a < b, elementwise, as bool. */
export const less: BinaryFunction = comparison('less', (a, b) => {
  'use gpu';
  return a < b;
});
