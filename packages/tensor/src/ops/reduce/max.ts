import { extremum } from './extremum.js';

/** The largest element over axes, all by default. Equal elements share the gradient. */
export const max = extremum('max');
