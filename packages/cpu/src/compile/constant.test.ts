// The same expression of constants, which the front end computes, and of variables, which WebAssembly computes: one value.
import { describe, expect, it } from 'vitest';
import { parseModule } from '../wgsl/check-module.js';
import { execute } from './compile.testing.js';

const I32 = ['0i', '1i', '-1i', '7i', '-7i', '31i', '2147483647i', 'i32(-2147483648)'];
const U32 = ['0u', '1u', '7u', '31u', '32u', '0x80000000u', '0xfffffffeu', '0xffffffffu', '0x3c01bc00u'];
const F32 = [
  '0f',
  '-0f',
  '1f',
  '-1.5f',
  '2.5f',
  '0.3f',
  '-7.25f',
  '1e-3f',
  '3e9f',
  '-3e9f',
  '16777217f',
  '65504f',
  '1e-40f',
  '3e38f',
];

/** Expressions of a, b and c, with the types of those. */
const TABLE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'a + b|a - b|a * b|a / b|a % b|a & b|a ^ b|max(a, b)|min(a, b)|u32(a) >> (u32(b) % 32)': [I32, I32],
  '-a|~a|abs(a)|sign(a)|f32(a)|u32(a)|bool(a)|countOneBits(a)|countLeadingZeros(a)|countTrailingZeros(a)|firstLeadingBit(a)|firstTrailingBit(a)|reverseBits(a)|bitcast<u32>(a)|dot4I8Packed(bitcast<u32>(a), 0x7f80ff01u)|extractBits(a, 3, 5)|extractBits(a, 0, 32)|extractBits(a, 31, 1)|insertBits(a, 5, 30, 2)|pack4xI8Clamp(vec4(a))|pack4xI8(vec4(a))':
    [I32],
  'a + b|a - b|a * b|a / b|a % b|a | b|max(a, b)|min(a, b)|a >> (b % 32)|a << (b % 32)|a < b|a >= b|dot4U8Packed(a, b)|dot(vec2(a, b), vec2(b, a))|clamp(a, 3, b)':
    [U32, U32],
  'f32(a)|i32(a)|countOneBits(a)|firstLeadingBit(a)|reverseBits(a)|unpack4x8snorm(a).y|unpack4x8unorm(a).x|unpack2x16snorm(a).y|unpack2x16unorm(a).x|unpack2x16float(a).y|unpack4xI8(a).w|unpack4xU8(a).z|pack4xU8Clamp(vec4(a))|extractBits(a, 7, 9)|insertBits(a, 0xffu, 4, 9)':
    [U32],
  'a + b|a - b|a * b|a / b|a % b|max(a, b)|min(a, b)|step(a, b)|a < b|a == b|select(a, b, a > b)': [F32, F32],
  '-a|abs(a)|ceil(a)|floor(a)|fract(a)|round(a)|trunc(a)|saturate(a)|sign(a)|sqrt(abs(a))|bool(a)|bitcast<u32>(a)|modf(a).fract|modf(a).whole|frexp(a).fract|frexp(a).exp|ldexp(a, -3)|ldexp(a, 100)|quantizeToF16(a)|clamp(a, -2, 2)|pack4x8snorm(vec4(a))|pack4x8unorm(vec4(a))|pack2x16snorm(vec2(a))|pack2x16unorm(vec2(a))|pack2x16float(vec2(a))|(mat2x2(a, 1, 2, 3) * vec2(1, a)).x|dot(vec3(a), vec3(1, 2, 3))|transpose(mat2x3(a, 1, 2, 3, 4, 5))[2].x|cross(vec3(a, 1, 2), vec3(2, 1, a)).z':
    [F32],
  'i32(a)|u32(a)': [[...F32, '1.9f', '-1.9f', '2147483520f', '2147483648f', 'f32(-2147483648)', '4294967040f']],
  'exp(a)|exp2(a)|log(a)|log2(a)|sin(a)|cos(a)|tan(a)|asin(a)|acos(a)|atan(a)|sinh(a)|cosh(a)|tanh(a)|asinh(a)|acosh(a)|atanh(a)|inverseSqrt(a)|degrees(a)|radians(a)':
    [[...F32, '0.7f', '-0.1f', '1.1f', '3.3f', '10.1f', '77.7f']],
  'atan2(a, b)|pow(a, b)': [
    ['0.3f', '1f', '2.5f', '7.7f', '-1.1f', '1e10f'],
    ['0.3f', '1f', '-2.5f', '3f'],
  ],
  'mix(a, b, 0.3)|fma(a, b, 0.7)|smoothstep(a, b, 0.37)|length(vec3(a, b, 0.3))|distance(vec2(a, b), vec2(0.1, 0.7))|normalize(vec3(a, b, 0.3)).y|reflect(vec2(a, b), vec2(0.6, 0.8)).x|refract(vec2(a, b), vec2(0.6, 0.8), 0.3).x|cross(vec3(a, b, 0.3), vec3(b, a, 0.7)).y|faceForward(vec2(a, b), vec2(0.1), vec2(b, a)).x|determinant(mat3x3(a, b, 0.1, 0.2, b, a, 0.7, a, 0.3))':
    [
      ['0.3f', '1f', '2.51f', '7.7f', '-1.1f', '1.1e10f'],
      ['0.31f', '1.1f', '-2.5f', '3f'],
    ],
};

/** Texts as words: constants as they are, then with variables in their places. */
function wordsOf(texts: readonly (readonly [expression: string, values: readonly string[]])[]): [number, number][] {
  const calls = texts.map(([expression, values], i) => {
    const named = (put: (k: number) => string) =>
      expression.replace(/\b[ab]\b/g, (name) => `(${put(name === 'a' ? 0 : 1)})`);
    const variables = values.map((value, k) => `var v${k} = ${value};`).join(' ');
    return `fn f${i}() { ${variables} let k = ${named((k) => values[k]!)}; let r = ${named((k) => `v${k}`)};
      out[${2 * i}] = word(k); out[${2 * i + 1}] = word(r); }`.replaceAll('word(', wordOf(expression, values));
  });
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
    ${calls.join('\n')}
    @compute @workgroup_size(1) fn main() { ${calls.map((_, i) => `f${i}();`).join(' ')} }`;
  const [result] = execute(code, { buffers: [new Uint32Array(2 * texts.length)] });
  const words = new Uint32Array(result!);
  return texts.map((_, i) => [words[2 * i]!, words[2 * i + 1]!]);
}

/** What makes a word of a value: `u32(` of a bool, else a bit cast. */
function wordOf(expression: string, values: readonly string[]): string {
  const truth = parseModule(`const x: bool = ${substitute(expression, values)};`).messages.length === 0;
  return truth ? 'u32(' : 'bitcast<u32>(';
}

const substitute = (expression: string, values: readonly string[]) =>
  expression.replace(/\b[ab]\b/g, (name) => `(${values[name === 'a' ? 0 : 1]})`);

describe.each(Object.entries(TABLE))('%s', (expressions, lists) => {
  const [first = [], second] = lists;
  const rows = second ? first.flatMap((a) => second.map((b) => [a, b])) : first.map((a) => [a]);
  it.each(expressions.split(/\|(?! b)/))('%s', (expression) => {
    // Where a constant overflows, the text is an error.
    const valid = rows.filter(
      (values) => parseModule(`const x = ${substitute(expression, values)};`).messages.length === 0,
    );
    expect(valid.length).toBeGreaterThan(0);
    const words = wordsOf(valid.map((values) => [expression, values] as const));
    const different = words.flatMap(([constant, computed], i) =>
      constant === computed ? [] : [`${substitute(expression, valid[i]!)}: ${constant} and ${computed}`],
    );
    expect(different).toEqual([]);
  });
});
