// In which precision a network is trained: a policy that the training step asks, so that the step is written once.
import { checkName } from '@paris/files';
import { valueAndGrad } from '../autodiff/gradient.js';
import type { Device } from '../device/device.js';
import { LimitError } from '../errors.js';
import type { FloatDType } from '../graph/dtype.js';
import { isLeafTensor, type Tensor } from '../tensor.js';
import { mapTree } from '../tree.js';
import { dynamicLossScale, type LossScaleOptions } from './loss-scale.js';
import { type Optimizer, packTree, type TrainState, unpackTree } from './optimizer.js';

/** `f32` throughout; or f32 weights with copies and activations in f16, and a scaled loss. */
export type Precision = 'f32' | 'mixed-f16';

/** An optimizer that differentiates in its own precision. */
export interface PrecisionOptimizer extends Optimizer {
  /** What networks compute with: cast their inputs to it, and their results to f32 before the loss. */
  readonly dtype: FloatDType;
  /**
   * The loss and what else the function returns, and gradients for {@link Optimizer.update}. The function gets the state's
   * parameters in {@link dtype} and returns [f32 [], anything].
   */
  valueAndGrad<P, X>(fn: (params: P) => [Tensor, X], state: TrainState<P>): [[Tensor, X], P];
}

/**
 * An optimizer that trains in this precision. In `mixed-f16` the state keeps f32 master weights, one kernel makes their f16
 * copies, sums and statistics are f32, and the loss is scaled: {@link dynamicLossScale} decides on the device which steps
 * are left out. Micikevicius et al., "Mixed precision training", https://arxiv.org/abs/1710.03740.
 * @throws LimitError if the device has no f16; ValueError for another precision
 */
export function inPrecision(
  precision: Precision,
  optimizer: Optimizer,
  device: Device,
  options: LossScaleOptions = {},
): PrecisionOptimizer {
  checkName('precision', 'the precision', precision, ['f32', 'mixed-f16']);
  if (precision === 'f32') {
    const plain: PrecisionOptimizer['valueAndGrad'] = (fn, { params }) => valueAndGrad(fn, { hasAux: true })(params);
    return { ...optimizer, dtype: 'f32', valueAndGrad: plain };
  }
  if (!device.hasFeature('shader-f16')) {
    const lacks = `${device.info.adapter} has none`;
    throw new LimitError('precision', `mixed-f16 needs f16 (the feature shader-f16), and ${lacks}. Train in f32.`);
  }
  const scaled = dynamicLossScale(optimizer, options);
  return {
    ...scaled,
    dtype: 'f16',
    valueAndGrad<P, X>(fn: (params: P) => [Tensor, X], state: TrainState<P>): [[Tensor, X], P] {
      const copies = unpackTree(packTree(state.params).cast('f16'), state.params);
      const both = (params: P): [Tensor, [Tensor, X]] => {
        const [loss, rest] = fn(params);
        return [scaled.scale(loss, state), [loss, rest]];
      };
      const [[, value], gradients] = valueAndGrad(both, { hasAux: true })(copies);
      const wide = mapTree(gradients, (gradient: Tensor) => gradient.cast('f32'), isLeafTensor);
      return [value, wide as P];
    },
  };
}
