import { splitKey } from '../../random/shader.js';
import { type Tensor, toTensor } from '../../tensor.js';
import { applyOp } from '../define.js';
import type { PointwiseOp, WithOp } from '../op.js';
import { derivation } from './derivation.js';

const op = derivation('splitKey', splitKey);

/** The words (u32 [2]) of the i-th key split from a key; see Key.split. */
export const splitWords: WithOp<(words: Tensor, index: number) => Tensor, PointwiseOp> = Object.assign(
  (words: Tensor, index: number): Tensor => applyOp(op, [words, toTensor('split', index, 'u32')]),
  {
    op,
  },
);
