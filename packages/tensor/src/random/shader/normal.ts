// Normal numbers, by Box and Muller's transform, equal on every adapter to 1e-6.
//
// Only u32 arithmetic and f32 +, −, × are trusted. WGSL's log, sin and cos may be off by 1e-3, compilers may contract
// a·b + c to one rounding, and division and sqrt may be off by some ulp; so logarithm, sine and cosine are our own
// polynomials (minimax by Remez' exchange), the root is corrected, and wherever a residual matters its products are of
// 12-bit halves, exact with or without contraction.
import { d, fn, type Shader, std } from '../../shader/fn.js';
import type { FromKey } from './draws.js';
import { bitsBlock } from './draws.js';

type FromBits<R> = Shader<(bits: d.U32) => R>;

/** The upper half of an f32: its leading 12 bits, so that the product of two halves is exact. */
const upperHalf = fn([d.f32], d.f32, (x) => {
  'use gpu';
  return std.bitcastU32toF32(std.bitcastF32toU32(x) & 0xfffff000);
});

/** −2 ln((⌊bits / 2⁸⌋ + 1) · 2⁻²⁴), at least 0, to 1 ulp. */
export const minusTwoLog: FromBits<d.F32> = fn([d.u32], d.f32, (bits) => {
  'use gpu';
  // n = 2^e · m with m in [√½, √2): adding 1 − √½ (as bit patterns) carries into the exponent exactly from √2 on.
  const shifted = std.bitcastF32toU32(d.f32((bits >>> 8) + 1)) + 0x004afb0d;
  const e = d.f32(d.i32(shifted >>> 23) - 127 - 24);
  const f = std.bitcastU32toF32((shifted & 0x007fffff) + 0x3f3504f3) - 1;
  // ln(1 + f) = f − f² / 2 + f³ P(f), error of P below 8e-10 of the result on [√½ − 1, √2 − 1].
  let p = d.f32(0.06747231632471085);
  p = p * f - 0.1167512759566307;
  p = p * f + 0.11887567490339279;
  p = p * f - 0.12405640631914139;
  p = p * f + 0.14219650626182556;
  p = p * f - 0.1666799634695053;
  p = p * f + 0.20002113282680511;
  p = p * f - 0.25000008940696716;
  p = p * f + 0.3333331346511841;
  // ln 2 in two parts, the first of 16 bits: its product with e is exact.
  const low = f * f * (f * p - 0.5) + e * 1.428606765330187e-6;
  return std.max(0, -2 * (e * 0.693145751953125 + (f + low)));
});

/** √x as a leading half (12 bits) and the rest, for x in [0, 64]. */
export const rootParts: Shader<(x: d.F32) => d.Vec2f> = fn([d.f32], d.vec2f, (x) => {
  'use gpu';
  const s = std.sqrt(std.max(x, 1e-12)); // the guard keeps 0 / 0 out of the correction below
  const high = upperHalf(s);
  const low = s - high;
  const residual = x - high * high - 2 * high * low - low * low; // x − s², every product exact
  return d.vec2f(high, low + residual / (2 * s)).mul(std.select(d.f32(0), d.f32(1), x > 0));
});

/** (cos, sin) of 2π · ⌊bits / 2⁸⌋ · 2⁻²⁴, to 6e-8. */
export const turn: FromBits<d.Vec2f> = fn([d.u32], d.vec2f, (bits) => {
  'use gpu';
  const n = bits >>> 8;
  const quarter = (n + 0x200000) >>> 22;
  const y = d.f32(d.i32(n) - d.i32(quarter << 22)) * 2.384185791015625e-7; // in quarter turns, [−½, ½], exact
  const w = y * y;
  const cos =
    1 + w * (-1.2337005138397217 + w * (0.25366923213005066 + w * (-0.02086028829216957 + w * 0.0009040217264555395)));
  const sinTail =
    w * (-0.6459640860557556 + w * (0.07969258725643158 + w * (-0.004681297577917576 + w * 0.00015826255548745394)));
  const sin = y * (1.5707963705062866 + (sinTail - 4.371138828673793e-8)); // π / 2 in two parts
  const swap = (quarter & 1) !== 0;
  const c = std.select(cos, sin, swap);
  const s = std.select(sin, cos, swap);
  return d.vec2f(std.select(c, -c, ((quarter + 1) & 2) !== 0), std.select(s, -s, (quarter & 2) !== 0));
});

/** Two normals from two words: Box–Muller as in `hostNormalPair`, within 7e-7 of it before the host rounds to f32. */
export const normalPair: Shader<(a: d.U32, b: d.U32) => d.Vec2f> = fn([d.u32, d.u32], d.vec2f, (bits0, bits1) => {
  'use gpu';
  const radius = rootParts(minusTwoLog(bits0));
  const direction = turn(bits1);
  const x = upperHalf(direction.x);
  const y = upperHalf(direction.y);
  // radius · direction with one rounding: the product of the halves is exact, the rest is small.
  return d.vec2f(
    radius.x * x + (radius.x * (direction.x - x) + radius.y * direction.x),
    radius.x * y + (radius.x * (direction.y - y) + radius.y * direction.y),
  );
});

/** Element i of `normal(key, shape)`. */
export const normalAt: FromKey<d.F32> = fn([d.vec2u, d.u32], d.f32, (key, i) => {
  'use gpu';
  const words = bitsBlock(key, i >>> 2);
  const pair = std.select(words.xy, words.zw, (i & 2) !== 0);
  const z = normalPair(pair.x, pair.y);
  return std.select(z.x, z.y, (i & 1) !== 0);
});
