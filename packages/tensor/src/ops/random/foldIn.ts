import { foldInKey } from '../../random/shader.js';
import { type Tensor, toTensor } from '../../tensor.js';
import { applyOp } from '../define.js';
import type { PointwiseOp, WithOp } from '../op.js';
import { derivation } from './derivation.js';

const op = derivation('foldIn', foldInKey);

/** The words (u32 [2]) of the key of `index`; see Key.foldIn. */
export const foldIn: WithOp<(words: Tensor, index: number | Tensor) => Tensor, PointwiseOp> = Object.assign(
  (words: Tensor, index: number | Tensor): Tensor => applyOp(op, [words, toTensor('foldIn', index, 'u32')]),
  { op },
);
