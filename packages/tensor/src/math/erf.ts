// The error function, which WGSL lacks.
import { d, fn, type Shader, std } from '../shader/fn.js';

/**
 * erf x within 4e-7: its series below ½, and beyond Abramowitz and Stegun, "Handbook of mathematical functions", 7.1.26,
 * which is off by 1.5e-7 at most.
 */
export const erfAccurate: Shader<(x: d.F32) => d.F32> = fn([d.f32], d.f32, (x) => {
  'use gpu';
  const a = std.abs(x);
  const w = a * a;
  const series =
    1.1283791670955126 *
    a *
    (1 - w * (0.3333333333 - w * (0.1 - w * (0.0238095238 - w * (0.0046296296 - w * 0.0007575758)))));
  const t = 1 / (1 + 0.3275911 * a);
  const polynomial = 0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)));
  const size = std.select(1 - t * polynomial * std.exp(-w), series, a < 0.5);
  return std.select(size, -size, x < 0);
});
