import { type Extremum, extremum } from './extremum.js';

/** The smallest element over axes, all by default. Equal elements share the gradient. */
export const min: Extremum = extremum('min');
