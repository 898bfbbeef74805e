import { ShapeError } from '../../errors.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { oneHot } from '../index/oneHot.js';
import { logSumExp } from '../reduce/logSumExp.js';

/** −log softmax(logits)[label] for each row: logits [B, K], labels u32 [B] → f32 [B], also of f16. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  if (logits.rank !== 2 || labels.rank !== 1 || labels.shape[0] !== logits.shape[0]) {
    const got = `logits ${showShape(logits.shape)} and labels ${showShape(labels.shape)}`;
    const hint = "A label is a class's number, no row of zeros and a one";
    throw new ShapeError('crossEntropy', `${got} must be [B, K] and [B]. ${hint}.`);
  }
  const scores = logits.cast('f32');
  const chosen = scores.mul(oneHot(labels, logits.shape[1]!)).sum(1);
  return logSumExp(scores, 1).sub(chosen);
}
