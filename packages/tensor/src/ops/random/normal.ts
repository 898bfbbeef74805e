import { normalAt } from '../../random/shader.js';
import { draw } from './draw.js';

/** A tensor of standard normal numbers, equal on every device to 1e-6. */
export const normal = draw('normal', 'f32', 100, normalAt);
