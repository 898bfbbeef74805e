import type { BinaryFunction } from '../define/elementwise.js';
import { comparison } from './comparison.js';

/** a = b, elementwise, as bool. */
export const equal: BinaryFunction = comparison('equal', (a, b) => {
  'use gpu';
  return a === b;
});
