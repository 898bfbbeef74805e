import { extremum } from './extremum.js';
import type { Reduction } from './over.js';

/** The smallest element over axes, all by default. Equal elements share the gradient. */
export const min: Reduction = extremum('min');
