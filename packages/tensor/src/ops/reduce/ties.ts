import type { Tensor } from '../../tensor.js';
import { keepAxes } from './over.js';

/** The gradient of a maximum or minimum: to the elements that equal it, in equal shares. */
export function shareOfTies(x: Tensor, y: Tensor, cotangent: Tensor, axes: readonly number[]): Tensor {
  const hits = x.equal(keepAxes(y, x, axes)).cast('f32');
  const share = cotangent.div(hits.sum(axes));
  return hits.mul(keepAxes(share, x, axes));
}
