// What samplers are called, here and elsewhere.
import { knownName } from '../known-name.js';

/** The name of a built-in sampler. */
export type SamplerName =
  | 'euler'
  | 'heun'
  | 'euler-ancestral'
  | 'ddim'
  | 'dpmpp-2m'
  | 'dpmpp-2m-sde'
  | 'unipc'
  | 'adams-bashforth';

/** The names of the built-in samplers. */
export const samplerNames: readonly SamplerName[] = [
  'euler',
  'heun',
  'euler-ancestral',
  'ddim',
  'dpmpp-2m',
  'dpmpp-2m-sde',
  'unipc',
  'adams-bashforth',
];

/** What other programs call them: classes of diffusers, names of ComfyUI and of web UIs. */
const otherNames: Readonly<Record<string, SamplerName>> = {
  ...{ 'euler-a': 'euler-ancestral', 'uni-pc': 'unipc', 'uni-pc-bh2': 'unipc', 'dpm-solverpp-2m': 'dpmpp-2m' },
  ...{ eulerdiscretescheduler: 'euler', flowmatcheulerdiscretescheduler: 'euler', heundiscretescheduler: 'heun' },
  ...{ eulerancestraldiscretescheduler: 'euler-ancestral', ddimscheduler: 'ddim', unipcmultistepscheduler: 'unipc' },
  ...{ dpmsolvermultistepscheduler: 'dpmpp-2m' },
};

/**
 * The name here of a sampler, for one that diffusers, ComfyUI or web UIs use, such as `dpmpp_2m`, `DPM++ 2M`, `Euler a` or
 * `UniPCMultistepScheduler`.
 * @throws ValueError for an unknown name, with the known ones
 */
export function samplerName(name: string): SamplerName {
  return knownName('sampler', name, samplerNames, otherNames);
}
