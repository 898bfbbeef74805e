import { uniformAt } from '../../random/shader/elements.js';
import { type Draw, draw } from './draw.js';

/** A tensor of numbers uniform in [0, 1), multiples of 2⁻²⁴; the same on every device. */
export const uniform: Draw = draw('uniform', 'f32', 50, uniformAt);
