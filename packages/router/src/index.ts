export { countParameters, type ParameterShapes } from '@paris/tensor/nn';
export {
  type HeadActivation,
  parseRouterConfig,
  type RouterCondition,
  type RouterConfig,
  routerPresets,
} from './config.js';
export { routerCost } from './cost.js';
export { growRouter, type RouterWeights, trainablePart } from './grow.js';
export { type GrownPart, grownParts } from './grown-parts.js';
export { routerForward } from './model.js';
export { type RouterBlockParams, type RouterParams, routerParameterShapes } from './parameters.js';
export {
  among,
  amongResident,
  every,
  full,
  latched,
  nucleus,
  nucleusSample,
  oracle,
  parseRoutingPolicy,
  type RoutingPolicy,
  type RoutingStep,
  sample,
  tempered,
  threshold,
  top,
} from './policies.js';
export { recogniseRouter } from './recognise.js';
export { createRouter, routerTransformer } from './transformer.js';
