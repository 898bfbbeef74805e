// What options name and pages seldom do: loaded when it is named, so that a page that samples as usual does not hold it.
import { euler } from '../samplers/euler.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Schedule } from '../schedules/named.js';
import { uniformTimes } from '../schedules/schedules.js';

/** A sampler, or the built-in one of this name. @throws ValueError for an unknown name, with the known ones */
export async function samplerOption(given: Sampler | string = 'euler'): Promise<Sampler> {
  if (typeof given !== 'string') return given;
  return given === 'euler' ? euler : (await import('../samplers/samplers.js')).samplerByName(given);
}

/** A schedule, or the built-in one of this name. @throws ValueError for an unknown name, with the known ones */
export async function scheduleOption(given: Schedule | string = 'uniform'): Promise<Schedule> {
  if (typeof given !== 'string') return given;
  return given === 'uniform' ? uniformTimes : (await import('../schedules/named.js')).scheduleByName(given);
}
