// What a model is made of: its noise paths and what networks predict on them.
export type { Condition } from './contracts/condition.js';
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
