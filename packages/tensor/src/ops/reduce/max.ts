import { extremum } from './extremum.js';
import type { Reduction } from './over.js';

/** The largest element over axes, all by default. Equal elements share the gradient. */
export const max: Reduction = extremum('max');
