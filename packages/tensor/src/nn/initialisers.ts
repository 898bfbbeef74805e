// How fresh weights are drawn. An initialiser takes a random key and a shape; those that draw nothing ignore the key.

import { ones as onesOf, zeros as zerosOf } from '../ops/creation/constant.js';
import type { TensorKey } from '../ops/random/random.js';
import { normal as normalOf, uniform } from '../ops/random/random.js';
import type { Key } from '../random/index.js';
import type { Tensor } from '../tensor.js';

/** From a random key and a shape to fresh weights, f32; lazy as all tensors are. */
export type Initialiser = (key: Key | TensorKey, shape: readonly number[]) => Tensor;

/** All zeros, as for biases; the key is not used. */
export const zeros: Initialiser = (_, shape) => zerosOf(shape);
/** All ones, as for the scales of norms; the key is not used. */
export const ones: Initialiser = (_, shape) => onesOf(shape);

/** Normal with mean 0 and the given standard deviation. */
export function normal(deviation: number): Initialiser {
  return (key, shape) => normalOf(key, shape).mul(deviation);
}

/**
 * Uniform in ±√(6 / (in + out)), Glorot and Bengio 2010, eq. 16. The first axis counts as out, all others together as
 * in: a patch convolution [d, C, p, p] is drawn as the linear layer [d, C·p·p] that it is.
 */
export const xavierUniform: Initialiser = (key, shape) => {
  const [out = 1, ...rest] = shape;
  const bound = Math.sqrt(6 / (out + rest.reduce((size, n) => size * n, 1)));
  const width = 2 * bound;
  return uniform(key, shape).mul(width).sub(bound);
};
