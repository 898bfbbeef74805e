// Keys inside traced functions: two u32 of the device, so that a key is an input of the plan and never part of it; and the
// tensors of random numbers that are drawn from keys.
import { ValueError } from '../../errors.js';
import type { DType } from '../../graph/dtype.js';
import type { EmitContext } from '../../graph/op.js';
import type { ShaderFunction } from '../../graph/shader-function.js';
import { checkShape, type Shape } from '../../graph/shape.js';
import type { Key } from '../../random/key.js';
import { bitsAt, foldInKey, splitKey, uniformAt } from '../../random/shader/draws.js';
import { normalAt } from '../../random/shader/normal.js';
import { operand, type Tensor, toTensor } from '../../tensor.js';
import { applyOp, pointwise, type WithOp, withOp, zeroGradient } from '../define/op.js';
import { ranksOf } from '../order/order.js';

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

/** From a key's words (u32 [2]) and an index to the words of another key. */
type Derivation = WithOp<(words: Tensor, index: number | Tensor) => Tensor>;

/** The words (u32 [2]) of the key of `index`; see Key.foldIn. */
export const foldIn: Derivation = derivation('foldIn', foldInKey);

/** The words (u32 [2]) of the i-th key split from a key; see Key.split. */
export const splitWords: Derivation = derivation('splitKey', splitKey);

function derivation(name: string, derive: ShaderFunction): Derivation {
  const op = pointwise({
    name,
    cost: 60,
    infer: ([words]) => [{ shape: words!.shape, dtype: 'u32' }],
    emit(context) {
      const { shape } = context.inputs[1]!;
      const zeros = shape.map(() => '0u');
      const index = context.read(1, context.position.moved(shape, zeros));
      return `${context.name(context.call(derive, keyOf(context), index))}[${context.position.linear}]`;
    },
    vjp: zeroGradient('keys have no gradient'),
  });
  return withOp(op, (words, index) => applyOp(op, [words, toTensor(name, index, 'u32')]));
}

/** A key's two words, the first input, as a vector. */
function keyOf({ read, position, inputs, name }: EmitContext): string {
  const word = (i: number) => read(0, position.moved(inputs[0]!.shape, [`${i}u`]));
  return name(`vec2u(${word(0)}, ${word(1)})`);
}

/** A tensor of random numbers: a function of key and position alone, drawn by Philox 4×32-10. */
type Draw = WithOp<(key: Key | TensorKey, shape: Shape) => Tensor>;

/** A draw whose element i is `at(key, i)`. */
function draw(name: string, dtype: DType, cost: number, at: ShaderFunction): Draw {
  const op = pointwise<{ shape: Shape }>({
    name,
    cost,
    infer: (_, { shape }) => [{ shape, dtype }],
    emit: (context) => context.call(at, keyOf(context), context.position.linear),
    vjp: zeroGradient('random numbers do not depend on a float'),
  });
  return withOp(op, (key, shape) => {
    checkShape(name, shape);
    return applyOp(op, [TensorKey.of(key).words], { shape: [...shape] });
  });
}

/** A tensor of standard normal numbers, equal on every device to 1e-6. */
export const normal: Draw = draw('normal', 'f32', 100, normalAt);

/** A tensor of uniform 32-bit words, u32; the same on every device. */
export const randomBits: Draw = draw('randomBits', 'u32', 48, bitsAt);

/** A tensor of numbers uniform in [0, 1), multiples of 2⁻²⁴; the same on every device. */
export const uniform: Draw = draw('uniform', 'f32', 50, uniformAt);

/**
 * The numbers 0 … n − 1 in random order, u32 [n]: element i is the rank of the i-th word of `randomBits(key, [n])`
 * among all (of equal words the first is lower). Every order is equally likely but for equal words, which are rarer
 * than n² / 2³³. The same on every device, and as `hostPermutation`. n² comparisons.
 * @throws LimitError beyond n = 4096; there, take `hostPermutation`.
 */
export function permutation(key: Key | TensorKey, n: number): Tensor {
  return ranksOf('permutation', randomBits(key, [n]), false);
}
