// @paris/sampler/options: what options about drawing may be. It loads nothing that computes.
export { type HubName, hubName } from './foreign/hub-name.js';
export { DEFAULT_GUIDANCE } from './guidance/default.js';
export { type SamplerName, samplerName, samplerNames } from './samplers/names.js';
export { type ScheduleName, scheduleName, scheduleNames } from './schedules/names.js';
