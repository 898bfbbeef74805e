// The schedules that "Align Your Steps" (arXiv 2404.14507) found for four released models.
import { logSnr } from '@paris/model';
import { hostLog, ValueError } from '@paris/tensor';
import type { Schedule } from './named.js';
import { uniformTimes } from './schedules.js';

/** Which model a table was optimised for. */
export type AlignedModel = 'sd15' | 'sdxl' | 'deepfloyd-if' | 'svd';

/** σ̃ = σ/α at the eleven ends of ten steps (arXiv 2404.14507, appendix B, table 2). */
const tables: Readonly<Record<AlignedModel, readonly number[]>> = {
  sd15: [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029],
  sdxl: [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029],
  'deepfloyd-if': [160.41, 8.081, 3.315, 1.885, 1.207, 0.785, 0.553, 0.293, 0.186, 0.03, 0.006],
  svd: [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002],
};

/**
 * The times of equal log-SNR on whatever path is sampled. Another number of steps than ten lies between the table's entries,
 * linearly in log-SNR, as the authors advise; the first time is 1 and the last one 0.
 * @throws ValueError for a model without a table
 */
export function alignYourSteps(model: AlignedModel = 'sd15'): Schedule {
  if (!Object.hasOwn(tables, model)) {
    const known = Object.keys(tables).join(', ');
    throw new ValueError('alignYourSteps', `there is no table for "${model}". Known: ${known}.`);
  }
  const levels = tables[model].map((sigma) => -2 * hostLog(sigma));
  return (steps, path) => {
    const first = logSnr(path, 1); // paths of other people end before pure noise
    const [start, ...rest] = levels;
    const knots = [Math.max(start!, first), ...rest.filter((level) => level > first)];
    return uniformTimes(steps).map((time, i) => {
      if (i === 0 || i === steps) return time;
      const place = (i / steps) * (knots.length - 1);
      const below = Math.floor(place);
      return path.timeAtLogSnr(knots[below]! + (place - below) * (knots[below + 1]! - knots[below]!));
    });
  };
}
