// The generator of ../philox.ts as shader functions, the keys that are derived with it, and words and uniform numbers of a
// tensor's elements, one by one (`…At`) or in blocks of four (`…Block`): the same values. Element i of a tensor takes word i
// mod 4 of counter block ⌊i / 4⌋ (see ../host.ts). Only u32 arithmetic is used: every adapter has the same bits.
import { d, fn, type Shader, std } from '../../shader/fn.js';
import { DOMAIN } from '../key.js';
import { PHILOX } from '../philox.js';

const { m0, m1, w0, w1, rounds } = PHILOX;
const { elements, foldIn, split } = DOMAIN;

/** A function of a key [2] and an index: of an element, a block of four, or a derived key. */
export type FromKey<R> = Shader<(key: d.Vec2u, index: d.U32) => R>;

/** The upper 32 bits of a · b: WGSL has no 64-bit integer. */
const multiplyHigh: Shader<(a: d.U32, b: d.U32) => d.U32> = fn([d.u32, d.u32], d.u32, (a, b) => {
  'use gpu';
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16);
});

/** Philox 4×32-10 (see philox.ts): key [2], counter [4] → four words. */
const philox: Shader<(key: d.Vec2u, at: d.Vec4u) => d.Vec4u> = fn([d.vec2u, d.vec4u], d.vec4u, (key, counter) => {
  'use gpu';
  let x0 = counter.x;
  let x1 = counter.y;
  let x2 = counter.z;
  let x3 = counter.w;
  let k0 = key.x;
  let k1 = key.y;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(m0, x0);
    const low0 = m0 * x0;
    const high1 = multiplyHigh(m1, x2);
    const low1 = m1 * x2;
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = k0 + w0;
    k1 = k1 + w1;
  }
  return d.vec4u(x0, x1, x2, x3);
});

/** `key.foldIn(index)` for an index below 2³². */
export const foldInKey: FromKey<d.Vec2u> = fn([d.vec2u, d.u32], d.vec2u, (key, index) => {
  'use gpu';
  return philox(key, d.vec4u(index, 0, 0, foldIn)).xy;
});

/** `key.split(n)[index]`. */
export const splitKey: FromKey<d.Vec2u> = fn([d.vec2u, d.u32], d.vec2u, (key, index) => {
  'use gpu';
  return philox(key, d.vec4u(index, 0, 0, split)).xy;
});

/** Elements 4b … 4b+3 of `randomBits(key, shape)`. */
export const bitsBlock: FromKey<d.Vec4u> = fn([d.vec2u, d.u32], d.vec4u, (key, block) => {
  'use gpu';
  return philox(key, d.vec4u(block, 0, 0, elements));
});

/** Element i of `randomBits(key, shape)`. */
export const bitsAt: FromKey<d.U32> = fn([d.vec2u, d.u32], d.u32, (key, i) => {
  'use gpu';
  const words = bitsBlock(key, i >>> 2);
  const pair = std.select(words.xy, words.zw, (i & 2) !== 0);
  return std.select(pair.x, pair.y, (i & 1) !== 0);
});

/** Element i of `uniform(key, shape)`: the upper 24 bits of its word as a float in [0, 1), exactly. */
export const uniformAt: FromKey<d.F32> = fn([d.vec2u, d.u32], d.f32, (key, i) => {
  'use gpu';
  return d.f32(bitsAt(key, i) >>> 8) * 5.9604644775390625e-8; // 2⁻²⁴
});
