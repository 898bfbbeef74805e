import { ShapeError } from '../../errors.js';
import { sameShape, showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';

/**
 * A prediction and a target that only broadcast, such as [B, 1] and [B], would be compared all with all.
 * @throws ShapeError if the shapes differ
 */
export function requireSameShape(loss: string, a: Tensor, b: Tensor): void {
  if (sameShape(a.shape, b.shape)) return;
  const both = `${showShape(a.shape)} and ${showShape(b.shape)}`;
  throw new ShapeError(loss, `both must have one shape, got ${both}. Reshape one.`);
}
