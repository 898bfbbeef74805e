// @paris/tensor/optim: optimizers as pure functions on trees of tensors, traced into the training step.
export { type AdamWOptions, adamw } from './adamw.js';
export { clipByGlobalNorm, globalNorm } from './clip.js';
export { ema } from './ema.js';
export { dynamicLossScale, type LossScaleOptions, type ScaledOptimizer } from './loss-scale.js';
export { type MuonOptions, muon } from './muon.js';
export {
  chain,
  type GradientTransform,
  type Moments,
  type Optimizer,
  optimizerOf,
  type PackedStep,
  type PackedUpdate,
  type ParameterPart,
  type TrainState,
  type UpdateRule,
} from './optimizer.js';
export { inPrecision, type Precision, type PrecisionOptimizer } from './precision.js';
export {
  type ConstantOptions,
  type CosineDecayOptions,
  constant,
  cosineDecay,
  linear,
  type Schedule,
} from './schedule.js';
export { type SgdOptions, sgd } from './sgd.js';
