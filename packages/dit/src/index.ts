export type { Condition } from '@paris/tensor/nn';
export { countParameters, type ParameterShapes } from '@paris/tensor/nn';
export { type DiTCondition, type DiTConfig, parseDiTConfig } from './config.js';
export { createDiT, dit } from './dit.js';
export {
  type AnyExpertArchitecture,
  defineExpert,
  type Expert,
  type ExpertArchitecture,
  type ExpertDefinition,
  type ExpertInput,
  type Objective,
} from './expert.js';
export { ditForward } from './model.js';
export { type DiTBlockParams, type DiTParams, ditParameterShapes } from './parameters.js';
export { ditPresets } from './presets.js';
