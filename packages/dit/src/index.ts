export type { Condition } from '@paris/model';
export { countParameters, type ParameterShapes } from '@paris/tensor/nn';
export { type DiTCondition, type DiTConfig, parseDiTConfig } from './config.js';
export { ditCost, type ForwardCostOptions } from './cost.js';
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
export {
  fromStateDict,
  type KeyMap,
  type Piece,
  type RenamingRule,
  renaming,
  type StateDict,
  toStateDict,
} from './layouts/key-map.js';
export { facebookLayout, parisLayout, pixartLayout } from './layouts/layouts.js';
export { remadeGroups, type WarmStartOptions, warmStart } from './layouts/warm-start.js';
export { dropLearnedSigma } from './learned-sigma.js';
export { ditForward } from './model.js';
export { type DiTBlockParams, type DiTFinalParams, type DiTParams, ditParameterShapes } from './parameters.js';
export { ditPresets } from './presets.js';
