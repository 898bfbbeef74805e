// What options name and pages seldom do: loaded when it is named, so that a page that samples as usual does not hold it.
import type { NoisePath } from '@paris/model';
import { euler } from '../samplers/euler.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Schedule } from '../schedules/named.js';
import { uniformTimes } from '../schedules/schedules.js';

/** A sampler, or the built-in one of this name. @throws ValueError for an unknown name, with the known ones */
export async function samplerOption(given: Sampler | string): Promise<Sampler> {
  if (typeof given !== 'string') return given;
  return given === 'euler' ? euler : (await import('../samplers/samplers.js')).samplerByName(given);
}

/**
 * A schedule, or the built-in one of this name, shifted unless `shift` is 1.
 * @throws ValueError for an unknown name, with the known ones, and for a shift that is none
 */
export async function scheduleOption(given: Schedule | string, shift = 1): Promise<Schedule> {
  const usual = given === 'uniform' ? uniformTimes : given;
  if (typeof usual !== 'string' && shift === 1) return usual;
  const { scheduleByName, shifted } = await import('../schedules/named.js');
  const schedule = typeof usual === 'string' ? scheduleByName(usual) : usual;
  return shift === 1 ? schedule : shifted(schedule, shift);
}

/** `given`, and the paths of these names that are not always there. */
export async function pathsOption(
  names: readonly string[],
  given: readonly NoisePath[] = [],
): Promise<readonly NoisePath[]> {
  const rare = names.filter((name) => name.startsWith('ddpm-'));
  return rare.length === 0 ? given : [...given, ...(await import('./ddpm-paths.js')).ddpmPaths(rare)];
}
