export { countParameters, type ParameterShapes } from '@paris/tensor/nn';
export { type HeadActivation, parseRouterConfig, type RouterConfig, routerPresets } from './config.js';
export { routerCost } from './cost.js';
export { routerForward } from './model.js';
export { type RouterBlockParams, type RouterParams, routerParameterShapes } from './parameters.js';
export {
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
export { createRouter, routerTransformer } from './transformer.js';
