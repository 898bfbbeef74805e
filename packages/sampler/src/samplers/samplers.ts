import { ValueError } from '@paris/tensor';
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

/**
 * A built-in sampler by its name; `dpmpp_2m` and `uni_pc`, as ComfyUI writes them, are names, too.
 * @throws ValueError for an unknown name, with the known ones
 */
export function samplerByName(name: string): Sampler {
  const own = name.replaceAll('_', '-').replace(/^uni-pc$/, 'unipc');
  if (Object.hasOwn(samplers, own)) return samplers[own as keyof typeof samplers];
  const known = Object.keys(samplers).join(', ');
  throw new ValueError('sampler', `no sampler is called "${name}". Known: ${known}. Or pass a function of your own.`);
}
