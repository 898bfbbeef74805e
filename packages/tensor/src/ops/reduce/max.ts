import { type Extremum, extremum } from './extremum.js';

/** The largest element over axes, all by default. Equal elements share the gradient. */
export const max: Extremum = extremum('max');
