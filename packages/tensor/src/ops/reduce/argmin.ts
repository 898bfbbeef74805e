import { type IndexReduction, indexReduction } from './index-of.js';

/**
 * Where the smallest element is along an axis, as u32; the first of equal ones. Over several axes (all by default)
 * the place counts row by row through them.
 */
export const argmin: IndexReduction = indexReduction('argmin', 'highest', '<');
