import type { Tensor } from '../../tensor.js';
import { indexAlong, indexReduction } from './indexOf.js';

const op = indexReduction('argmax', 'lowest', '>');

/** Where the largest element stands along an axis, as u32; the first of equal ones. */
export const argmax = Object.assign((x: Tensor, axis: number): Tensor => indexAlong(op, x, axis), { op });
