import { normalAt } from '../../random/shader/normal.js';
import { type Draw, draw } from './draw.js';

/** A tensor of standard normal numbers, equal on every device to 1e-6. */
export const normal: Draw = draw('normal', 'f32', 100, normalAt);
