import type { EmitContext } from '../../graph/op.js';
import type { ShaderFunction } from '../../graph/shader-function.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import { type Tensor, toTensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { zeroGradient } from '../define/gradient.js';
import { pointwise } from '../define/kinds.js';

/** From a key's words (u32 [2]) and an index to the words of another key. */
export type Derivation = WithOp<(words: Tensor, index: number | Tensor) => Tensor>;

export function derivation(name: string, derive: ShaderFunction): Derivation {
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
export function keyOf({ read, position, inputs, name }: EmitContext): string {
  const word = (i: number) => read(0, position.moved(inputs[0]!.shape, [`${i}u`]));
  return name(`vec2u(${word(0)}, ${word(1)})`);
}
