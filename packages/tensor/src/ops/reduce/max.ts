import { extremum } from './extremum.js';
import type { Reduction } from './over.js';

/**
 * The largest element over axes, all by default; of bool, whether any is true. Equal elements share the gradient. The
 * largest of nothing is −∞, and the least number of integers and bool.
 */
export const max: Reduction = extremum('max');
