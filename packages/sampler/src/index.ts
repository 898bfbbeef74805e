/** Noise paths, schedules, samplers, guidance, the routed mixture and the pipeline. */

export {
  type Codec,
  cosinePath,
  linearPath,
  logSnr,
  type ModelIndex,
  type NoisePath,
  type PromptEncoder,
} from '@paris/model';
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
} from '@paris/router';
export type { ForeignReader } from './foreign/reader.js';
export type { ForeignSource } from './foreign/source.js';
export { DEFAULT_GUIDANCE } from './guidance/default.js';
export {
  classifierFreeGuidance,
  type Guidance,
  type GuidanceStep,
  type GuidanceTerms,
  type GuidedConditions,
  type Predict,
  type SettledGuidance,
} from './guidance/guidance.js';
export { type LoadedCodec, pictureDecoder } from './images/decode-latents.js';
export { clampDisplay, type RgbImage, tileImages, toRgbImages } from './images/image.js';
export type { Made } from './images/made.js';
export { encodePng } from './images/png.js';
export type { DownloadOptions } from './pipeline/download.js';
export {
  type LoadedModel,
  type LoadedTextEncoder,
  type LoadOptions,
  type LoadProgress,
  loadModel,
  loadPipeline,
} from './pipeline/load.js';
export type {
  Autoguidance,
  Generated,
  GenerateOptions,
  Interpolation,
  MaskImage,
  Move,
  Origin,
  PictureSeed,
  PreviewTier,
  StepEvent,
  Variation,
  WeakerModel,
} from './pipeline/options.js';
export type { Pipeline } from './pipeline/pipeline.js';
export type { ExpertLoad, ExpertShelf, Lease, LoadedExpert, Residency } from './residency/shelf.js';
export { assignBatch, checkWeights, type ExpertBatch } from './routing/assignment.js';
export { meanWeights } from './routing/mean-weights.js';
export {
  type Mixture,
  type MixtureRequest,
  type MixtureRun,
  mixture,
  type RoutingRecord,
} from './routing/mixture.js';
export { type ExpertInput, expertForward, type LoadedRouter, routerForward } from './routing/networks.js';
export { expertColour, type RenderRoutingOptions, renderRouting } from './routing/render.js';
export type { RoutingTelemetry, Swaps } from './routing/telemetry.js';
export { adamsBashforth } from './samplers/adams-bashforth.js';
export { ddim } from './samplers/ddim.js';
export { dpmpp2m } from './samplers/dpmpp-2m.js';
export { dpmpp2mSde } from './samplers/dpmpp-2m-sde.js';
export { euler } from './samplers/euler.js';
export { eulerAncestral } from './samplers/euler-ancestral.js';
export { heun } from './samplers/heun.js';
export { type SamplerName, samplerName } from './samplers/names.js';
export { type PictureKeys, type PictureNoiseOptions, pictureNoise } from './samplers/noise.js';
export {
  type Denoised,
  type Denoiser,
  type EarlierStep,
  type Latents,
  realise,
  type Sampler,
  type SamplerNeeds,
  type SamplerOptions,
  type SamplerStep,
  type StepContext,
  type StepRule,
  samplerOf,
} from './samplers/sampler.js';
export { samplerByName, samplers } from './samplers/samplers.js';
export { unipc } from './samplers/unipc.js';
export { type AlignedModel, alignYourSteps } from './schedules/align-your-steps.js';
export {
  beta,
  exponential,
  karras,
  klOptimal,
  type Schedule,
  type SigmaRange,
  scheduleByName,
  schedules,
  shifted,
} from './schedules/named.js';
export { type ScheduleName, scheduleName } from './schedules/names.js';
export { shiftLogSnr, uniformTimes } from './schedules/schedules.js';
