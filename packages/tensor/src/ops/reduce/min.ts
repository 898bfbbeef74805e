import { extremum } from './extremum.js';
import type { Reduction } from './over.js';

/**
 * The smallest element over axes, all by default; of bool, whether all are true. Equal elements share the gradient. The
 * smallest of nothing is +∞, and the greatest number of integers and bool.
 */
export const min: Reduction = extremum('min');
