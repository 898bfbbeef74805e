// What schedules are called, here and elsewhere.
import { knownName } from '../known-name.js';

/** The name of a built-in schedule. */
export type ScheduleName =
  | 'uniform'
  | 'simple'
  | 'sgm-uniform'
  | 'karras'
  | 'exponential'
  | 'beta'
  | 'kl-optimal'
  | 'align-your-steps'
  | 'align-your-steps-sdxl'
  | 'align-your-steps-svd';

/** The names of the built-in schedules. */
export const scheduleNames: readonly ScheduleName[] = [
  'uniform',
  'simple',
  'sgm-uniform',
  'karras',
  'exponential',
  'beta',
  'kl-optimal',
  'align-your-steps',
  'align-your-steps-sdxl',
  'align-your-steps-svd',
];

/** What other programs call them: diffusers' options, ComfyUI's and web UIs' names. */
const otherNames: Readonly<Record<string, ScheduleName>> = {
  ...{ normal: 'uniform', automatic: 'uniform', 'ddim-uniform': 'uniform', 'lu-lambdas': 'exponential' },
  ...{ ays: 'align-your-steps', 'ays-sdxl': 'align-your-steps-sdxl', 'ays-svd': 'align-your-steps-svd' },
};

/**
 * The name here of a schedule, for one that diffusers, ComfyUI or web UIs use, such as `sgm_uniform`, `SGM Uniform` or `normal`.
 * @throws ValueError for an unknown name, with the known ones
 */
export function scheduleName(name: string): ScheduleName {
  return knownName('schedule', name, scheduleNames, otherNames);
}
