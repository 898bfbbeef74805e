// The expressions of random portable programs: what every implementation of WGSL must compute alike, bit for bit. So
// indices are in bounds, floats are finite and each operation on them is exact or correctly rounded; what is not goes into
// `rough`, once and never further.
import type { Random } from './random.testing.js';

export const KINDS = ['u32', 'i32', 'f32', 'bool', 'vec2u', 'vec3i', 'vec4f'] as const;
export type Kind = (typeof KINDS)[number];

const EXACT_OF_FLOAT = ['abs', 'floor', 'ceil', 'trunc', 'round', 'fract', 'sign', 'saturate', '-'];
const LANES = ['x', 'y', 'z', 'w'];

/** Texts for one expression of a kind, of which one is taken; `of` writes an operand. Right operands are never constant. */
export const forms: Readonly<Record<Kind, readonly ((of: (kind: Kind) => string, random: Random) => string)[]>> = {
  u32: [
    (of, r) => `(${of('u32')} ${r.pick(['+', '-', '*', '/', '%', '&', '|', '^'])} (${of('u32')} + zero))`,
    (of, r) => `((${of('u32')} + zero) ${r.pick(['<<', '>>'])} (${of('u32')} + zero))`,
    (of, r) => `${r.pick(['min', 'max'])}(${of('u32')}, ${of('u32')})`,
    (of) => `clamp(${of('u32')}, 3u, 90u)`,
    (of, r) => `${r.pick(BITS)}(${of('u32')})`,
    (of) => `extractBits(${of('u32')}, ${of('u32')} + zero, ${of('u32')} % 40u + zero)`,
    (of) => `insertBits(${of('u32')}, ${of('u32')}, ${of('u32')} + zero, ${of('u32')} % 40u + zero)`,
    (of) => `select(${of('u32')}, ${of('u32')}, ${of('bool')})`,
    (of) => `words[inWords(${of('u32')})]`,
    (of) => `own[inFive(${of('u32')})]`,
    (of) => `early(${of('u32')}, ${of('f32')})`,
    (of) => `u32(${of('f32')} «+ f32(zero)»)`,
    (of) => `bitcast<u32>(${of('i32')})`,
    (of) => `u32(${of('bool')})`,
    (of, r) => `${of('vec2u')}.${r.pick(LANES.slice(0, 2))}`,
    (of) => `${of('vec2u')}[inTwo(${of('u32')})]`,
    (of) => `dot(${of('vec2u')}, ${of('vec2u')} + zero)`,
    (of) => `dot4U8Packed(${of('u32')}, ${of('u32')})`,
    (of) => `pack4xU8(vec4u(${of('vec2u')}, ${of('vec2u')}))`,
    () => 'state.count',
    () => 'mine',
  ],
  i32: [
    (of, r) => `(${of('i32')} ${r.pick(['+', '-', '*', '/', '%', '&', '|', '^'])} (${of('i32')} + izero))`,
    (of, r) => `((${of('i32')} + izero) ${r.pick(['<<', '>>'])} (${of('u32')} + zero))`,
    (of) => `i32(${of('f32')} «+ f32(zero)»)`,
    (of, r) => `${r.pick(['min', 'max'])}(${of('i32')}, ${of('i32')})`,
    (of, r) => `${r.pick(['abs', 'sign', ...BITS])}(${of('i32')} + izero)`,
    (of, r) => `${r.pick(['-', '~'])}(${of('i32')} + izero)`,
    (of) => `extractBits(${of('i32')}, ${of('u32')} + zero, ${of('u32')} % 40u + zero)`,
    (of) => `bitcast<i32>(${of('u32')})`,
    (of) => `select(${of('i32')}, ${of('i32')}, ${of('bool')})`,
    (of, r) => `${of('vec3i')}.${r.pick(LANES.slice(0, 3))}`,
    (of) => `dot(${of('vec3i')}, ${of('vec3i')} + izero)`,
    (of) => `dot4I8Packed(${of('u32')}, ${of('u32')})`,
    (of) => `unpack4xI8(${of('u32')}).z`,
    () => 'state.at.y',
  ],
  f32: [
    (of, r) => `(${of('f32')} «${r.pick(['+', '-', '*'])}» (${of('f32')} «+ f32(zero)»))`,
    (of) => `data[inData(${of('u32')})]`,
    (of) => `f32(${of('u32')} «& 1023u»)`,
    (of) => `f32(${of('i32')} «% 512»)`,
    (of, r) => `${r.pick(EXACT_OF_FLOAT)}(${of('f32')} «+ f32(zero)»)`,
    (of, r) => `${r.pick(['min', 'max', 'step'])}(${of('f32')}, ${of('f32')} «+ f32(zero)»)`,
    (of) => `clamp(${of('f32')}, -3f, abs(${of('f32')} «+ f32(zero)»))`,
    (of) => `select(${of('f32')}, ${of('f32')}, ${of('bool')})`,
    (of) => `ldexp(${of('f32')}, «clamp(»${of('i32')}«, -3 + izero, 3)»)`,
    (of, r) => `${of('vec4f')}.${r.pick(LANES)}`,
    (of) => `unpack2x16float(pack2x16float(vec2f(f32(${of('u32')} «& 2047u»), 0.5))).x`,
    (of) => `transpose(mat2x2f(${of('vec4f')}.xy, ${of('vec4f')}.wz))[inTwo(${of('u32')})].y`,
  ],
  bool: [
    (of, r) => `(${of('u32')} ${r.pick(['<', '<=', '==', '!=', '>', '>='])} ${of('u32')})`,
    (of, r) => `(${of('i32')} ${r.pick(['<', '>=', '=='])} ${of('i32')})`,
    (of, r) => `(${of('f32')} ${r.pick(['<', '>', '==', '!='])} ${of('f32')})`,
    (of, r) => `(${of('bool')} ${r.pick(['&&', '||', '&', '|'])} ${of('bool')})`,
    (of) => `!${of('bool')}`,
    (of, r) => `${r.pick(['any', 'all'])}(${of('vec2u')} ${r.pick(['<', '==', '>'])} ${of('vec2u')})`,
    (of, r) => `${r.pick(['any', 'all'])}(${of('vec3i')} ${r.pick(['<=', '!='])} ${of('vec3i')})`,
    () => '(i < limits.y)',
  ],
  vec2u: [
    (of) => `vec2u(${of('u32')}, ${of('u32')})`,
    (of, r) => `(${of('vec2u')} ${r.pick(['+', '-', '*', '/', '%', '&', '|', '^'])} (${of('vec2u')} + zero))`,
    (of, r) => `(${of('vec2u')} ${r.pick(['+', '*', '/'])} (${of('u32')} + zero))`,
    (of) => `((${of('vec2u')} + zero) << (${of('vec2u')} + zero))`,
    (of, r) => `${of('vec2u')}.${r.pick(['yx', 'xx', 'yy'])}`,
    (of, r) => `bitcast<vec2u>(${of('vec3i')}.${r.pick(['xz', 'yx'])})`,
    (of) => `select(${of('vec2u')}, ${of('vec2u')}, ${of('vec2u')} > ${of('vec2u')})`,
    (of) => `max(${of('vec2u')}, ${of('vec2u')})`,
  ],
  vec3i: [
    (of) => `vec3i(${of('i32')}, ${of('i32')}, ${of('i32')})`,
    (of) => `vec3i(vec2i(${of('vec2u')}), ${of('i32')})`,
    (of, r) => `(${of('vec3i')} ${r.pick(['+', '-', '*', '/', '%', '&', '|', '^'])} (${of('vec3i')} + izero))`,
    (of) => `-(${of('vec3i')} + izero)`,
    (of) => `abs(${of('vec3i')} + izero)`,
    (of) => `vec3i(${of('vec4f')}.wzy «+ f32(zero)»)`,
    (of, r) => `${of('vec3i')}.${r.pick(['zyx', 'xxy', 'yzx'])}`,
    () => 'state.at',
  ],
  vec4f: [
    (of) => `vec4f(${of('f32')}, ${of('f32')}, ${of('f32')}, ${of('f32')})`,
    (of) => `vec4f(vec2f(${of('vec2u')} «& vec2u(511u)»), ${of('f32')}, 0.25f)`,
    (of, r) => `(${of('vec4f')} «${r.pick(['+', '-', '*'])}» (${of('vec4f')} «+ f32(zero)»))`,
    (of) => `(${of('vec4f')} «*» (${of('f32')} «+ f32(zero)»))`,
    (of, r) => `${r.pick(['abs', 'floor', 'fract', '-'])}(${of('vec4f')} «+ f32(zero)»)`,
    (of, r) => `${of('vec4f')}.${r.pick(['wzyx', 'xxyy', 'yzwx'])}`,
    (of) => `min(${of('vec4f')}, ${of('vec4f')})`,
    (of) => `vec4f(unpack4xU8(${of('u32')}))`,
  ],
};

const BITS = [
  'countOneBits',
  'countLeadingZeros',
  'countTrailingZeros',
  'reverseBits',
  'firstLeadingBit',
  'firstTrailingBit',
];

/** Built-ins with an error: of x in [−1000, 1000] and y, and how far two implementations may be apart. In ulps of `of(x)`. */
export interface Rough {
  readonly text: string;
  readonly of: (x: number, y: number) => number;
  /** Largest error of one implementation at x, y. */
  readonly error: (x: number, y: number) => number;
}

const ulp = (value: number) =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(Math.fround(value)) || 2 ** -126))) - 23);
const ulps = (count: number, of: (x: number, y: number) => number) => (x: number, y: number) => count * ulp(of(x, y));
const clip = (x: number, most: number) => Math.min(Math.max(x, -most), most);
const one = (text: string, of: Rough['of'], error: Rough['error']): Rough => ({ text, of, error });
const counted = (text: string, count: number, of: Rough['of']): Rough => one(text, of, ulps(count, of));
const part = (y: number) => Math.fround(Math.abs(y) + 0.5);

/** https://www.w3.org/TR/WGSL/#floating-point-accuracy */
export const ROUGH: readonly Rough[] = [
  counted('x / (abs(y) + 0.5)', 2.5, (x, y) => x / part(y)),
  one(
    'exp(clamp(x, -20, 20))',
    (x) => Math.exp(clip(x, 20)),
    (x) => (3 + 2 * Math.abs(clip(x, 20))) * ulp(Math.exp(clip(x, 20))),
  ),
  one(
    'exp2(clamp(x, -20, 20))',
    (x) => 2 ** clip(x, 20),
    (x) => (3 + 2 * Math.abs(clip(x, 20))) * ulp(2 ** clip(x, 20)),
  ),
  one(
    'log(abs(y) + 0.5)',
    (_, y) => Math.log(part(y)),
    (_, y) => (part(y) <= 2 ? 2 ** -21 : 3 * ulp(Math.log(part(y)))),
  ),
  one(
    'log2(abs(y) + 0.5)',
    (_, y) => Math.log2(part(y)),
    (_, y) => (part(y) <= 2 ? 2 ** -21 : 3 * ulp(Math.log2(part(y)))),
  ),
  one(
    'sin(clamp(x, -3.125, 3.125))',
    (x) => Math.sin(clip(x, 3.125)),
    () => 2 ** -11,
  ),
  one(
    'cos(clamp(x, -3.125, 3.125))',
    (x) => Math.cos(clip(x, 3.125)),
    () => 2 ** -11,
  ),
  counted('inverseSqrt(abs(y) + 0.5)', 2, (_, y) => 1 / Math.sqrt(part(y))),
  // As 1 / inverseSqrt: 2 ulps, then 2.5.
  counted('sqrt(abs(y) + 0.5)', 4.5, (_, y) => Math.sqrt(part(y))),
  // asin and acos may be computed by atan2.
  counted('atan(x)', 4096, (x) => Math.atan(x)),
  counted('atan2(x, abs(y) + 0.5)', 4096, (x, y) => Math.atan2(x, part(y))),
  one(
    'asin(clamp(x, -1, 1))',
    (x) => Math.asin(clip(x, 1)),
    (x) => Math.max(6.81e-5, 4096 * ulp(Math.asin(clip(x, 1)))),
  ),
  one(
    'acos(clamp(x, -1, 1))',
    (x) => Math.acos(clip(x, 1)),
    (x) => Math.max(6.77e-5, 4096 * ulp(Math.acos(clip(x, 1)))),
  ),
  one(
    'tanh(clamp(x, -8, 8))',
    (x) => Math.tanh(clip(x, 8)),
    () => 1e-5,
  ),
  one(
    'fma(x, 3.5, y)',
    (x, y) => x * 3.5 + y,
    (x, y) => ulp(x * 3.5) + ulp(x * 3.5 + y),
  ),
  one(
    'mix(x, y, 0.25)',
    (x, y) => x * 0.75 + y * 0.25,
    (x, y) => 4 * (ulp(x) + ulp(y)),
  ),
  one(
    'dot(vec3f(x, y, 2), vec3f(0.3, x, y))',
    (x, y) => x * Math.fround(0.3) + x * y + 2 * y,
    (x, y) => 4 * (ulp(x) + ulp(x * y) + ulp(2 * y)),
  ),
];
