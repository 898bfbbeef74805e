import type { Tensor } from '../../tensor.js';
import { indexAlong, indexReduction } from './indexOf.js';

const op = indexReduction('argmin', 'highest', '<');

/** Where the smallest element stands along an axis, as u32; the first of equal ones. */
export const argmin = Object.assign((x: Tensor, axis: number): Tensor => indexAlong(op, x, axis), { op });
