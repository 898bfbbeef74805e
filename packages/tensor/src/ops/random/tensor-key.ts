// Keys inside traced functions: two u32 of the device, so that a key is an input of the plan and never part of it.
import { ValueError } from '../../errors.js';
import type { Key } from '../../random/key.js';
import { operand, type Tensor } from '../../tensor.js';
import { foldIn } from './fold-in.js';
import { splitWords } from './split.js';

/** A random key that a compiled function was given: it splits, folds in indices below 2³², and is drawn from as on the host. */
export class TensorKey {
  /** @param words - u32 [2] */
  constructor(readonly words: Tensor) {}

  /** A host key as one whose words are uploaded with each call. */
  static of(key: Key | TensorKey): TensorKey {
    return key instanceof TensorKey ? key : new TensorKey(operand(key.words, [2], 'u32'));
  }

  /** `count` independent keys. The i-th does not depend on `count`. */
  split(count: number): TensorKey[] {
    if (!Number.isInteger(count) || count < 0)
      throw new ValueError('split', `the count must be a whole number, got ${count}.`);
    return Array.from({ length: count }, (_, i) => new TensorKey(splitWords(this.words, i)));
  }

  /** The key of step or picture `index`: a whole number below 2³², or a u32 tensor of one element. */
  foldIn(index: number | Tensor): TensorKey {
    return new TensorKey(foldIn(this.words, index));
  }
}
