import type { Tensor } from '../../tensor.js';

/** Gradients of max and min of two: to the one that was chosen, half to each where both are equal. */
export function shareOfTies(a: Tensor, b: Tensor, y: Tensor, cotangent: Tensor): [Tensor, Tensor] {
  const isA = a.equal(y).cast('f32');
  const isB = b.equal(y).cast('f32');
  const share = cotangent.div(isA.add(isB));
  return [share.mul(isA), share.mul(isB)];
}
