import { ValueError } from '../../errors.js';
import { requireDType } from '../../graph/dtype.js';
import { sizeOf } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, requireTensor, type WithOp, withOp, zeroGradient } from '../define/op.js';

/** How many bits a packed number has. */
export type PackedBits = 4 | 8;

const op = pointwise<{ readonly bits: PackedBits }>({
  name: 'unpackIntegers',
  cost: 1,
  unpacks: true,
  infer([words], { bits }) {
    const { dtype, shape } = words!;
    requireDType('unpackIntegers', dtype, ['u32']);
    return [{ shape: [...shape.slice(0, -1), (shape.at(-1) ?? 1) * (32 / bits)], dtype: 'i32' }];
  },
  // A shift to the left puts the number's sign first, the one to the right keeps it.
  emit({ read, position, inputs, attributes: { bits }, name }) {
    const { shape } = inputs[0]!;
    const [perWord, bitsLog, perWordLog] = [32 / bits, Math.log2(bits), 5 - Math.log2(bits)];
    const i = position.linear;
    const word = read(0, position.moved([sizeOf(shape)], [name(`${i} >> ${perWordLog}u`)]).reshaped(shape));
    const above = name(`${32 - bits}u - ((${i} & ${perWord - 1}u) << ${bitsLog}u)`);
    return `(bitcast<i32>(${word} << ${above}) >> ${32 - bits}u)`;
  },
  vjp: zeroGradient('whole numbers change in steps'),
});

/**
 * Signed whole numbers of 4 or 8 bits (two's complement) out of words of 32, u32 [..., W] → i32 [..., W · 32 / bits]; the
 * first number of a word is in its lowest bits. A product that reads them takes them out as it loads, so no copy is made.
 * A single word [] gives [32 / bits].
 * @throws DTypeError if the words are not u32; ValueError for other numbers of bits
 */
export const unpackIntegers: WithOp<(words: Tensor, bits: PackedBits) => Tensor> = withOp(op, (words, bits) => {
  if (bits !== 4 && bits !== 8) throw new ValueError('unpackIntegers', `bits must be 4 or 8, got ${bits}.`);
  return applyOp(op, [requireTensor('unpackIntegers', words)], { bits });
});
