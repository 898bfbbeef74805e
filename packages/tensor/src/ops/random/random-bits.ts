import { bitsAt } from '../../random/shader/elements.js';
import { type Draw, draw } from './draw.js';

/** A tensor of uniform 32-bit words, u32; the same on every device. */
export const randomBits: Draw = draw('randomBits', 'u32', 48, bitsAt);
