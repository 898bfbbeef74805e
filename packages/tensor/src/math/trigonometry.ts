// Sine and cosine with a range reduction of our own. WGSL promises nothing outside [−π, π] (2e-4 was seen at 1000),
// and timestep embeddings take both of arguments up to 1000.
import { d, fn, type Shader, std } from '../shader/fn.js';

/**
 * (cos x, sin x) within 2e-7 for |x| ≤ 10⁴ (beyond, the products with the parts of π / 2 are no longer exact).
 * Cody and Waite's reduction: π / 2 in three parts of at most 11 bits and a rest, so that a quarter-turn count of up
 * to 13 bits times a part is exact, whether or not the compiler contracts to fma. The polynomials are minimax on
 * [−π / 4, π / 4].
 */
const cosSinAccurate: Shader<(x: d.F32) => d.Vec2f> = fn([d.f32], d.vec2f, (x) => {
  'use gpu';
  const turns = std.floor(x * 0.6366197466850281 + 0.5); // quarter turns
  const t =
    x -
    turns * 1.5703125 -
    turns * 0.0004837512969970703 -
    turns * 7.549533620476723e-8 -
    turns * 2.5633440682570896e-12;
  const w = t * t;
  const cos = 1 + w * (-0.5 + w * (0.04166664555668831 + w * (-0.001388736185617745 + w * 2.443773155391682e-5)));
  const sin =
    t +
    t *
      w *
      (-0.1666666716337204 + w * (0.008333329111337662 + w * (-0.00019839327433146536 + w * 2.71823728326126e-6)));
  const quarter = d.i32(turns) & 3;
  const swap = (quarter & 1) !== 0;
  const c = std.select(cos, sin, swap);
  const s = std.select(sin, cos, swap);
  return d.vec2f(std.select(c, -c, ((quarter + 1) & 2) !== 0), std.select(s, -s, (quarter & 2) !== 0));
});

/** cos x within 2e-7 for |x| ≤ 10⁴. */
export const cosAccurate: Shader<(x: d.F32) => d.F32> = fn([d.f32], d.f32, (x) => {
  'use gpu';
  return cosSinAccurate(x).x;
});

/** sin x within 2e-7 for |x| ≤ 10⁴. */
export const sinAccurate: Shader<(x: d.F32) => d.F32> = fn([d.f32], d.f32, (x) => {
  'use gpu';
  return cosSinAccurate(x).y;
});
