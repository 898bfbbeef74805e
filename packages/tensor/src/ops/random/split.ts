import { splitKey } from '../../random/shader.js';
import { type Tensor, toTensor } from '../../tensor.js';
import { applyOp, pointwise, zeroGradient } from '../define.js';

const op = pointwise({
  name: 'splitKey',
  cost: 60,
  infer: ([words]) => [{ shape: words!.shape, dtype: 'u32' }],
  emit({ read, position, inputs, call, name }) {
    const at = (i: number) => read(0, position.moved(inputs[0]!.shape, [`${i}u`]));
    const key = name(`vec2u(${at(0)}, ${at(1)})`);
    const index = read(1, position.moved(inputs[1]!.shape, []));
    return `${name(call(splitKey, key, index))}[${position.linear}]`;
  },
  vjp: zeroGradient('keys have no gradient'),
});

/** The words (u32 [2]) of the i-th key split from a key; see Key.split. */
export const splitWords = Object.assign(
  (words: Tensor, index: number): Tensor => applyOp(op, [words, toTensor('split', index, 'u32')]),
  { op },
);
