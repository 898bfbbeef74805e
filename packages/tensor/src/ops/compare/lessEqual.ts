import type { BinaryFunction } from '../define/elementwise.js';
import { comparison } from './comparison.js';

/** a ≤ b, elementwise, as bool. */
export const lessEqual: BinaryFunction = comparison('lessEqual', (a, b) => {
  'use gpu';
  return a <= b;
});
