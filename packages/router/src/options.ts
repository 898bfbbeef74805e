// @paris/router/options: what options about routers and routing may be. It loads nothing that computes.
export { type GrownPart, grownParts } from './grown-parts.js';
export { parseRoutingPolicy, type RoutingPolicy, type RoutingStep } from './policies.js';
