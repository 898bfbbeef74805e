export { countParameters, type ParameterShapes } from '@paris/tensor/nn';
export { type DiTCondition, type DiTConfig, parseDiTConfig } from './config.js';
export { ditCost, type ForwardCostOptions } from './cost.js';
export { createDiT, dit } from './dit.js';
export { facebookLayout, parisLayout, pixartLayout } from './layouts/layouts.js';
export { remadeGroups, type WarmStartOptions, warmStart } from './layouts/warm-start.js';
export { ditForward } from './model.js';
export { type DiTBlockParams, type DiTFinalParams, type DiTParams, ditParameterShapes } from './parameters.js';
export { ditPresets } from './presets.js';
