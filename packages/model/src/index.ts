// What a model is made of: its noise paths and what networks predict on them.
export {
  type Architecture,
  type ArchitectureDefinition,
  type DefinedArchitecture,
  defineArchitecture,
  findArchitecture,
  type Network,
} from './contracts/architecture.js';
export type { Condition } from './contracts/condition.js';
export type { Expert, NoisyInput, Objective } from './contracts/expert.js';
export { dropLearnedSigma } from './contracts/learned-sigma.js';
export type { Router } from './contracts/router.js';
export {
  fromStateDict,
  type KeyMap,
  type Piece,
  type RenamingRule,
  renaming,
  type StateDict,
  toStateDict,
} from './keys/key-map.js';
export { cosinePath } from './paths/cosine.js';
export { linearPath } from './paths/linear.js';
export { logSnr, type NoisePath } from './paths/path.js';
export { noisePath, noisePaths } from './paths/paths.js';
export {
  convertPrediction,
  type Prediction,
  type PredictionCoefficients,
  type PredictionScalars,
  predictionCoefficients,
  sampleLimits,
} from './predictions/predictions.js';
export { shortList } from './short-list.js';
