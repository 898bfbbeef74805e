import { ValueError } from '@paris/tensor';
import { euler } from './euler.js';
import { heun } from './heun.js';
import type { Sampler } from './sampler.js';

/** The built-in samplers by name. */
export const samplers: {
  euler: Sampler;
  heun: Sampler;
} = { euler, heun } satisfies Record<string, Sampler>;

/**
 * A built-in sampler by its name.
 * @throws ValueError for an unknown name, with the known ones
 */
export function samplerByName(name: string): Sampler {
  if (Object.hasOwn(samplers, name)) return samplers[name as keyof typeof samplers];
  const known = Object.keys(samplers).join(', ');
  throw new ValueError('sampler', `no sampler is called "${name}". Known: ${known}. Or pass a function of your own.`);
}
