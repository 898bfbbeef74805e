import type { Key } from '../../random/key.js';
import type { Tensor } from '../../tensor.js';
import { ranksOf } from '../order/ranks.js';
import { randomBits } from './random-bits.js';
import type { TensorKey } from './tensor-key.js';

/**
 * The numbers 0 … n − 1 in random order, u32 [n]: element i is the rank of the i-th word of `randomBits(key, [n])`
 * among all (of equal words the first is lower). Every order is equally likely but for equal words, which are rarer
 * than n² / 2³³. The same on every device, and as `hostPermutation`. n² comparisons.
 * @throws LimitError beyond n = 4096; there, take `hostPermutation`.
 */
export function permutation(key: Key | TensorKey, n: number): Tensor {
  return ranksOf('permutation', randomBits(key, [n]), false);
}
