// Losses.
import { ShapeError } from '../../errors.js';
import { floats, requireDType } from '../../graph/dtype.js';
import { sameShape, showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { requireTensor } from '../define/op.js';
import { gather } from '../index/indices.js';
import { logSoftmax } from '../normalize/along.js';
import { where } from '../where.js';

/**
 * The mean squared error of two tensors of one shape: f32 [], also of f16.
 * @throws ShapeError if the shapes differ, also where they would broadcast; DTypeError for anything but floats.
 */
export function mse(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b]) requireDType('mse', requireTensor('mse', x).dtype, floats);
  // A prediction and a target that only broadcast, such as [B, 1] and [B], would be compared all with all.
  if (!sameShape(a.shape, b.shape)) {
    const both = `${showShape(a.shape)} and ${showShape(b.shape)}`;
    throw new ShapeError('mse', `both must have one shape, got ${both}. Reshape one.`);
  }
  return a.cast('f32').sub(b).square().mean();
}

/**
 * −log softmax(logits)[label] for each row: logits [B, K], labels u32 [B] → f32 [B], also of f16. Classes with the logit
 * −∞ are left out (masked). The loss of a label from K up is NaN, and under `device.debug` it is an IndexError.
 * @throws ShapeError if the shapes are others; DTypeError if the labels are not u32 or the logits are not floats
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const [rows, classes] = requireTensor('crossEntropy', logits).shape;
  requireTensor('crossEntropy', labels);
  if (logits.rank !== 2 || labels.rank !== 1 || labels.shape[0] !== rows) {
    const got = `logits ${showShape(logits.shape)} and labels ${showShape(labels.shape)}`;
    const hint = "A label is a class's number, no row of zeros and a one";
    throw new ShapeError('crossEntropy', `${got} must be [B, K] and [B]. ${hint}.`);
  }
  requireDType('crossEntropy', logits.dtype, floats);
  requireDType('crossEntropy', labels.dtype, ['u32']);
  const chosen = gather(logSoftmax(logits.cast('f32')), labels.reshape([rows!, 1]), 1).reshape([rows!]);
  // 0 − x, where −x would be −0 for a certain prediction.
  return where(labels.less(classes!), chosen.rsub(0), Number.NaN);
}
