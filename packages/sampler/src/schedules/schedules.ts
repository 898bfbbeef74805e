/** Which times a sampler visits: decreasing from 1 (noise) to 0 (data). */

import { logSnr, type NoisePath } from '@paris/model';
import { hostExp, hostLog, ValueError } from '@paris/tensor';

/**
 * `steps` + 1 evenly spaced times, 1 first and 0 last.
 * @throws ValueError unless `steps` is a whole number from 1 on
 */
export function uniformTimes(steps: number): Float64Array {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new ValueError('uniformTimes', `steps is ${steps}. Give a whole number from 1 on.`);
  }
  return Float64Array.from({ length: steps + 1 }, (_, i) => (steps - i) / steps);
}

/**
 * Times moved towards noise by a negative shift, as larger pictures need it (arXiv 2301.11093 §2.1), and towards data by a
 * positive one. With r = σ/α and s = e^(−shift/2), w = r / r(1) becomes s·w / (1 + (s − 1)·w). On a path that is noise alone at
 * t = 1, where r(1) is infinite, this is r′ = s·r: the log-SNR ln(α²/σ²) is `shift` higher. On the linear path it is the time
 * shift t′ = s·t / (1 + (s − 1)·t) of arXiv 2403.03206 eq. 23. Ends stay ends on every path.
 * @throws ValueError for a shift that is not finite
 */
export function shiftLogSnr(path: NoisePath, times: Float64Array, shift: number): Float64Array {
  if (!Number.isFinite(shift)) throw new ValueError('shiftLogSnr', `shift is ${shift}. Give a finite number.`);
  const end = logSnr(path, 1);
  return times.map((t) => {
    if (t === 1) return 1;
    const own = logSnr(path, t);
    const share = (more: number) => hostExp((end - own + more) / 2); // w, and s·w; 0 on a path that is noise alone at t = 1
    return path.timeAtLogSnr(own + shift + 2 * hostLog(1 - share(0) + share(-shift)));
  });
}

/**
 * What every sampler asks of its times.
 * @throws ValueError unless there are two or more times in [0, 1], each lower than the one before
 */
export function checkTimes(tag: string, times: Float64Array): void {
  if (times.length < 2) {
    throw new ValueError(tag, `${times.length} times make no step. Give at least two, such as uniformTimes(30).`);
  }
  for (const [i, t] of times.entries()) {
    if (!(t >= 0 && t <= 1)) throw new ValueError(tag, `times[${i}] is ${t}. Times lie in [0, 1]: 1 is noise, 0 data.`);
    if (i === 0 || t < times[i - 1]!) continue;
    throw new ValueError(
      tag,
      `times[${i}] = ${t} is not below times[${i - 1}] = ${times[i - 1]}. Sort them downwards.`,
    );
  }
}
