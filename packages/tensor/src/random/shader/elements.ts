// Words and uniform numbers of a tensor's elements, one by one (`…At`) or in blocks of four (`…Block`): the same values.
import * as d from '../../shader/data.js';
import { fn } from '../../shader/fn.js';
import * as std from '../../shader/std.js';
import { DOMAIN } from '../key.js';
import { type FromKey, philox } from './philox.js';

const { elements } = DOMAIN;

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
