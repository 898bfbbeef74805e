import { adamsBashforth } from './adams-bashforth.js';
import { ddim } from './ddim.js';
import { dpmpp2m } from './dpmpp-2m.js';
import { dpmpp2mSde } from './dpmpp-2m-sde.js';
import { euler } from './euler.js';
import { eulerAncestral } from './euler-ancestral.js';
import { heun } from './heun.js';
import { type SamplerName, samplerName } from './names.js';
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
} satisfies Readonly<Record<SamplerName, Sampler>>;

/**
 * A built-in sampler by its name, or one that another program has for it.
 * @throws ValueError for an unknown name, with the known ones
 */
export function samplerByName(name: string): Sampler {
  return samplers[samplerName(name)];
}
