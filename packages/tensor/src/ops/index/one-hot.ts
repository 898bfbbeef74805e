import { DTypeError, ShapeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { arange } from '../creation/arange.js';
import { requireTensor } from '../define/apply.js';

/** ids u32 […] → f32 […, depth]: 1 at each id, 0 elsewhere; an id from depth up gives zeros. */
export function oneHot(ids: Tensor, depth: number): Tensor {
  const { shape, dtype } = requireTensor('oneHot', ids);
  if (dtype !== 'u32') throw new DTypeError('oneHot', `ids have dtype ${dtype}, not u32. Use cast('u32').`);
  if (!Number.isInteger(depth) || depth < 1) {
    throw new ShapeError('oneHot', `the depth must be a whole number from 1 up, got ${depth}.`);
  }
  return ids
    .reshape([...shape, 1])
    .equal(arange(depth, 'u32'))
    .cast('f32');
}
