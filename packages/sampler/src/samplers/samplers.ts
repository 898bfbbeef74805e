import { ValueError } from '@paris/tensor';
import { plainName } from '../schedules/plain-name.js';
import { adamsBashforth } from './adams-bashforth.js';
import { ddim } from './ddim.js';
import { dpmpp2m } from './dpmpp-2m.js';
import { dpmpp2mSde } from './dpmpp-2m-sde.js';
import { euler } from './euler.js';
import { eulerAncestral } from './euler-ancestral.js';
import { heun } from './heun.js';
import type { Sampler } from './sampler.js';
import { unipc } from './unipc.js';

/** The built-in samplers by name. Those with an η are here with their usual one: `ddim` 0, `dpmpp-2m-sde` 1. */
export const samplers: {
  readonly euler: Sampler;
  readonly heun: Sampler;
  readonly 'euler-ancestral': Sampler;
  readonly ddim: Sampler;
  readonly 'dpmpp-2m': Sampler;
  readonly 'dpmpp-2m-sde': Sampler;
  readonly unipc: Sampler;
  readonly 'adams-bashforth': Sampler;
} = {
  euler,
  heun,
  'euler-ancestral': eulerAncestral,
  ddim: ddim(),
  'dpmpp-2m': dpmpp2m,
  'dpmpp-2m-sde': dpmpp2mSde(),
  unipc,
  'adams-bashforth': adamsBashforth,
};

/** What other programs call them: classes of diffusers, names of ComfyUI and of web UIs. */
const otherNames: Readonly<Record<string, keyof typeof samplers>> = {
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
export function samplerName(name: string): keyof typeof samplers {
  const own = plainName(name);
  if (Object.hasOwn(samplers, own)) return own as keyof typeof samplers;
  if (Object.hasOwn(otherNames, own)) return otherNames[own]!;
  const known = Object.keys(samplers).join(', ');
  throw new ValueError('sampler', `no sampler is called "${name}". Known: ${known}. Or pass a function of your own.`);
}

/**
 * A built-in sampler by its name, or one that another program has for it.
 * @throws ValueError for an unknown name, with the known ones
 */
export function samplerByName(name: string): Sampler {
  return samplers[samplerName(name)];
}
