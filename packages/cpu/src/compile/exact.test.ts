// Every rule of WGSL's expressions that leaves no freedom, and what this package chooses where there is some.
import { describe, expect, it } from 'vitest';
import { execute } from './compile.testing.js';
import { modes } from './modes.testing.js';

const INT_MIN = -(2 ** 31);

describe.each(modes)('%s: expressions', (mode) => {
  /** An expression of `a`, `b`, `c` for each row of words; results are words, as i32. */
  function words(expression: string, rows: readonly (readonly number[])[], declarations = ''): number[] {
    const wgsl = `${declarations}
      @group(0) @binding(0) var<storage> input: array<vec4u>;
      @group(0) @binding(1) var<storage, read_write> output: array<u32>;
      @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
        let a = input[id.x].x; let b = input[id.x].y; let c = input[id.x].z;
        output[id.x] = ${expression};
      }`;
    const flat = rows.flatMap((row) => [row[0] ?? 0, row[1] ?? 0, row[2] ?? 0, 0]);
    const input = Uint32Array.from(flat, (word) => word >>> 0);
    const count = rows.length;
    const [, output] = execute(wgsl, {
      mode,
      groups: [Math.ceil(count / 8), 1, 1],
      buffers: [input, new Uint32Array(count)],
    });
    return [...new Int32Array(output!)];
  }
  const bitsOf = (value: number) => new Int32Array(new Float32Array([value]).buffer)[0]!;
  const floatOf = (word: number) => new Float32Array(new Int32Array([word]).buffer)[0]!;
  /** An expression of the f32 `x`, `y`, `z`. */
  function floats(expression: string, rows: readonly (readonly number[])[], declarations = ''): number[] {
    const named = expression.replace(
      /(?<!\.)\b[xyz]\b/g,
      (name) => `bitcast<f32>(${{ x: 'a', y: 'b', z: 'c' }[name]})`,
    );
    return words(
      `bitcast<u32>(${named})`,
      rows.map((row) => row.map(bitsOf)),
      declarations,
    ).map(floatOf);
  }

  const pairs = [-1, 0, 1, 7, -7, 3, -3, INT_MIN, 2 ** 31 - 1, 31, 32, 33].flatMap((a, _, all) =>
    all.map((b) => [a, b] as const),
  );
  const integers: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => (a + b) | 0,
    '-': (a, b) => (a - b) | 0,
    '*': Math.imul,
    '/': (a, b) => (b === 0 ? a : (a / b) | 0),
    '%': (a, b) => (b === 0 ? 0 : (a % b) | 0),
    '&': (a, b) => a & b,
    '|': (a, b) => a | b,
    '^': (a, b) => a ^ b,
  };

  it.each(Object.keys(integers))('i32 %s', (operator) => {
    const got = words(`bitcast<u32>(bitcast<i32>(a) ${operator} bitcast<i32>(b))`, pairs);
    expect(got).toEqual(pairs.map(([a, b]) => integers[operator]!(a, b)));
  });

  it.each(['/', '%'])('u32 %s', (operator) => {
    const of = (a: number, b: number) => (operator === '/' ? Math.floor(a / b) : a % b);
    const got = words(`a ${operator} b`, pairs);
    expect(got).toEqual(pairs.map(([a, b]) => (b === 0 ? (operator === '/' ? a : 0) : of(a >>> 0, b >>> 0)) | 0));
    for (const n of [1, 2, 3, 7, 8, 10, 641, 2 ** 31, 2 ** 32 - 1]) {
      expect(words(`a ${operator} ${n}u`, pairs)).toEqual(pairs.map(([a]) => of(a >>> 0, n) | 0));
    }
  });

  it('divides by constants with sign', () => {
    for (const n of [1, 2, -2, 3, -5, 8, INT_MIN]) {
      const text = n === INT_MIN ? 'i32(-2147483648)' : `${n}`;
      expect(words(`bitcast<u32>(bitcast<i32>(a) / ${text})`, pairs)).toEqual(pairs.map(([a]) => (a / n) | 0));
      expect(words(`bitcast<u32>(bitcast<i32>(a) % ${text})`, pairs)).toEqual(pairs.map(([a]) => (a % n) | 0));
    }
  });

  it('shifts modulo 32', () => {
    expect(words('a << b', pairs)).toEqual(pairs.map(([a, b]) => a << b));
    expect(words('a >> b', pairs)).toEqual(pairs.map(([a, b]) => (a >>> b) | 0));
    expect(words('bitcast<u32>(bitcast<i32>(a) >> b)', pairs)).toEqual(pairs.map(([a, b]) => a >> b));
  });

  it('compares with sign and without', () => {
    for (const operator of ['<', '<=', '>', '>=', '==', '!=']) {
      const of = new Function('a', 'b', `return Number(a ${operator} b)`) as (a: number, b: number) => number;
      expect(words(`u32(bitcast<i32>(a) ${operator} bitcast<i32>(b))`, pairs)).toEqual(pairs.map(([a, b]) => of(a, b)));
      expect(words(`u32(a ${operator} b)`, pairs)).toEqual(pairs.map(([a, b]) => of(a >>> 0, b >>> 0)));
    }
  });

  it('converts floats to integers by truncation, clamped to the floats that fit', () => {
    const values = [
      0,
      -0,
      1.9,
      -1.9,
      2147483520,
      2147483648,
      -2147483648,
      3e9,
      -3e9,
      3e38,
      4294967040,
      5e9,
      Infinity,
      -Infinity,
      NaN,
    ].map((v) => [v]);
    const toI32 = (v: number) => (Number.isNaN(v) ? 0 : Math.trunc(Math.min(Math.max(v, INT_MIN), 2147483520)));
    const toU32 = (v: number) => (Number.isNaN(v) ? 0 : Math.trunc(Math.min(Math.max(v, 0), 4294967040))) | 0;
    const rows = values.map((row) => row.map(bitsOf));
    expect(words('bitcast<u32>(i32(bitcast<f32>(a)))', rows)).toEqual(values.map(([v]) => toI32(v!) + 0));
    expect(words('u32(bitcast<f32>(a))', rows)).toEqual(values.map(([v]) => toU32(v!)));
  });

  it('converts integers to floats by rounding to nearest', () => {
    const rows = [0, 1, -1, 16777217, 16777219, INT_MIN, 2 ** 31 - 1, -16777217].map((v) => [v]);
    expect(words('bitcast<u32>(f32(bitcast<i32>(a)))', rows)).toEqual(rows.map(([v]) => bitsOf(v!)));
    expect(words('bitcast<u32>(f32(a))', rows)).toEqual(rows.map(([v]) => bitsOf(v! >>> 0)));
    expect(words('u32(bool(a)) + 2 * u32(bool(bitcast<f32>(a)))', [[0], [1], [INT_MIN]])).toEqual([0, 3, 1]);
  });

  const specials = [0, -0, 1, -1, 0.5, -2.5, 3.5, 1e-40, -1e-40, 3e38, Infinity, -Infinity, NaN, 7.25, -7.75];
  const floatPairs = specials.flatMap((x) => specials.map((y) => [x, y] as const));

  it.each(['+', '-', '*', '/'])('f32 %s', (operator) => {
    const of = new Function('x', 'y', `return Math.fround(x ${operator} y)`) as (x: number, y: number) => number;
    expect(floats(`x ${operator} y`, floatPairs)).toEqual(
      floatPairs.map(([x, y]) => of(Math.fround(x), Math.fround(y))),
    );
  });

  it('f32 % is x − y trunc(x / y)', () => {
    const of = (a: number, b: number) => {
      const [x, y] = [Math.fround(a), Math.fround(b)];
      return Math.fround(x - Math.fround(y * Math.trunc(Math.fround(x / y))));
    };
    expect(floats('x % y', floatPairs)).toEqual(floatPairs.map(([x, y]) => of(x, y)));
  });

  it('takes minimum, maximum and clamp', () => {
    const min = (x: number, y: number) => (y < x ? y : x);
    const max = (x: number, y: number) => (x < y ? y : x);
    const f = Math.fround;
    expect(floats('min(x, y)', floatPairs)).toEqual(floatPairs.map(([x, y]) => min(f(x), f(y))));
    expect(floats('max(x, y)', floatPairs)).toEqual(floatPairs.map(([x, y]) => max(f(x), f(y))));
    expect(floats('clamp(x, 1.0, y)', floatPairs)).toEqual(floatPairs.map(([x, y]) => min(max(f(x), 1), f(y))));
    expect(words('bitcast<u32>(min(bitcast<i32>(a), bitcast<i32>(b)))', pairs)).toEqual(
      pairs.map(([a, b]) => Math.min(a, b)),
    );
    expect(words('max(a, b)', pairs)).toEqual(pairs.map(([a, b]) => Math.max(a >>> 0, b >>> 0) | 0));
    expect(words('clamp(a, 2u, b)', pairs)).toEqual(pairs.map(([a, b]) => Math.min(Math.max(a >>> 0, 2), b >>> 0) | 0));
  });

  it('rounds half to even; floor, ceil, trunc, fract, sign, abs', () => {
    const rows = [0, -0, 0.5, 1.5, 2.5, -0.5, -1.5, 0.49, 2.51, 8388609, -3.7, 1e20].map((v) => [v]);
    const even = (v: number) => {
      const r = Math.round(v);
      return Math.abs(v % 1) === 0.5 && r % 2 !== 0 ? r - 1 : Object.is(v, -0) ? -0 : r;
    };
    const each: Record<string, (v: number) => number> = {
      'round(x)': even,
      'floor(x)': Math.floor,
      'ceil(x)': Math.ceil,
      'trunc(x)': Math.trunc,
      'fract(x)': (v) => Math.fround(v - Math.floor(v)),
      'abs(x)': Math.abs,
      'sign(x)': (v) => Math.sign(v) + 0,
      'saturate(x)': (v) => (v < 0 ? 0 : v > 1 ? 1 : v),
      'sqrt(x * x)': (v) => Math.fround(Math.sqrt(Math.fround(v * v))),
      'inverseSqrt(x * x + 1.0)': (v) => Math.fround(1 / Math.fround(Math.sqrt(Math.fround(Math.fround(v * v) + 1)))),
      'step(0.5, x)': (v) => Number(v >= 0.5),
      '-x': (v) => -v,
    };
    for (const [expression, of] of Object.entries(each)) {
      expect(floats(expression, rows), expression).toEqual(rows.map(([v]) => of(Math.fround(v!))));
    }
    const integersOf = (of: (a: number) => number) => pairs.map(([a]) => of(a) | 0);
    expect(words('bitcast<u32>(abs(bitcast<i32>(a)))', pairs)).toEqual(
      integersOf((a) => (a === INT_MIN ? a : Math.abs(a))),
    );
    expect(words('bitcast<u32>(sign(bitcast<i32>(a)))', pairs)).toEqual(integersOf(Math.sign));
    expect(words('bitcast<u32>(-bitcast<i32>(a))', pairs)).toEqual(integersOf((a) => -a));
    expect(words('~a', pairs)).toEqual(integersOf((a) => ~a));
  });

  it('counts and moves bits', () => {
    const rows = [0, 1, 2, 0x80000000, 0xffffffff, 0x00f0f000, 12345678].map((v) => [v]);
    const low = (v: number) => (v === 0 ? -1 : 31 - Math.clz32(v & -v));
    const each: Record<string, (v: number) => number> = {
      'countLeadingZeros(a)': Math.clz32,
      'countTrailingZeros(a)': (v) => (v === 0 ? 32 : low(v)),
      'countOneBits(a)': (v) => [...(v >>> 0).toString(2)].filter((d) => d === '1').length,
      'firstLeadingBit(a)': (v) => (v === 0 ? -1 : 31 - Math.clz32(v)),
      'firstTrailingBit(a)': low,
      'bitcast<u32>(firstLeadingBit(bitcast<i32>(a)))': (v) => 31 - Math.clz32((v | 0) < 0 ? ~v : v),
      'reverseBits(a)': (v) => Number.parseInt([...(v >>> 0).toString(2).padStart(32, '0')].reverse().join(''), 2) | 0,
    };
    for (const [expression, of] of Object.entries(each)) {
      expect(words(expression, rows), expression).toEqual(rows.map(([v]) => of(v!)));
    }
    const ranges = [0, 1, 5, 31, 32, 40].flatMap((o) => [0, 1, 8, 27, 32, 99].map((n) => [0x9abcdef0, o, n] as const));
    const extract = ([v, offset, count]: readonly [number, number, number], signed: boolean) => {
      const o = Math.min(offset, 32);
      const n = Math.min(count, 32 - o);
      if (n === 0) return 0;
      const part = (BigInt(v) >> BigInt(o)) & ((1n << BigInt(n)) - 1n);
      return Number(BigInt.asIntN(32, signed ? BigInt.asIntN(n, part) : part));
    };
    expect(words('extractBits(a, b, c)', ranges)).toEqual(ranges.map((row) => extract(row, false)));
    expect(words('bitcast<u32>(extractBits(bitcast<i32>(a), b, c))', ranges)).toEqual(
      ranges.map((row) => extract(row, true)),
    );
    const insert = ([v, offset, count]: readonly [number, number, number]) => {
      const o = BigInt(Math.min(offset, 32));
      const n = BigInt(Math.min(count, 32 - Number(o)));
      const mask = ((1n << n) - 1n) << o;
      return Number(BigInt.asIntN(32, (BigInt(v) & ~mask) | ((0x12345678n << o) & mask)));
    };
    expect(words('insertBits(a, 0x12345678u, b, c)', ranges)).toEqual(ranges.map((row) => insert(row)));
  });

  it('splits floats', () => {
    const rows = [0, -0, 1, 0.75, -8, 1e-40, 3e38, 2 ** -149, 5.5].map((v) => [v]);
    const frexp = (v: number) => {
      if (v === 0) return [v, 0] as const;
      const e = Math.floor(Math.log2(Math.abs(v))) + 1;
      return [v / 2 ** e, e] as const;
    };
    expect(floats('frexp(x).fract', rows)).toEqual(rows.map(([v]) => frexp(Math.fround(v!))[0]));
    expect(floats('f32(frexp(x).exp)', rows)).toEqual(rows.map(([v]) => frexp(Math.fround(v!))[1]));
    expect(floats('modf(x).whole', rows)).toEqual(rows.map(([v]) => Math.trunc(Math.fround(v!))));
    expect(floats('modf(x).fract', rows)).toEqual(rows.map(([v]) => Math.fround(v!) - Math.trunc(Math.fround(v!))));
    const scaled = [-200, -140, -20, 0, 1, 100, 127, 200, 300].flatMap((e) =>
      [1.5, -3, 2 ** -140, 0].map((v) => [v, e]),
    );
    expect(floats('ldexp(x, i32(y))', scaled)).toEqual(scaled.map(([v, e]) => Math.fround(v! * 2 ** e!)));
  });

  it('packs and unpacks', () => {
    const rows = [[0x80ff017f], [0x12345678], [0xfedcba98]];
    const signed = (v: number, i: number) => ((v >>> (8 * i)) << 24) >> 24;
    const byte = (v: number, i: number) => (v >>> (8 * i)) & 255;
    const join = (of: (i: number) => number) => [0, 1, 2, 3].reduce((word, i) => word | ((of(i) & 255) << (8 * i)), 0);
    expect(words('pack4x8snorm(unpack4x8snorm(a))', rows)).toEqual(
      rows.map(([v]) => join((i) => Math.max(signed(v!, i), -127))),
    );
    expect(words('pack4x8unorm(unpack4x8unorm(a))', rows)).toEqual(rows.map(([v]) => v! | 0));
    expect(words('pack2x16unorm(unpack2x16unorm(a))', rows)).toEqual(rows.map(([v]) => v! | 0));
    expect(words('pack2x16snorm(unpack2x16snorm(a))', [[0x12347fff], [0xfedc8001]])).toEqual([
      0x12347fff,
      0xfedc8001 | 0,
    ]);
    expect(floats('unpack4x8snorm(bitcast<u32>(x)).w * 127.0', [[floatOf(0x81000000)], [floatOf(0x40000000)]])).toEqual(
      [-127, 64],
    );
    expect(words('dot4U8Packed(a, 0x01020304u)', rows)).toEqual(
      rows.map(([v]) => byte(v!, 0) * 4 + byte(v!, 1) * 3 + byte(v!, 2) * 2 + byte(v!, 3)),
    );
    expect(words('bitcast<u32>(dot4I8Packed(a, 0xff020304u))', rows)).toEqual(
      rows.map(([v]) => signed(v!, 0) * 4 + signed(v!, 1) * 3 + signed(v!, 2) * 2 - signed(v!, 3)),
    );
    expect(words('pack4xI8Clamp(unpack4xI8(a) * 2)', rows)).toEqual(
      rows.map(([v]) => join((i) => Math.min(Math.max(signed(v!, i) * 2, -128), 127))),
    );
    expect(words('pack4xU8(unpack4xU8(a) + 1u)', rows)).toEqual(rows.map(([v]) => join((i) => byte(v!, i) + 1)));
  });

  it('rounds to half precision', () => {
    const rows = [
      0,
      -0,
      1,
      1.0004883,
      1.0014648,
      65504,
      65519,
      65520,
      1e6,
      -1e6,
      2 ** -24,
      2 ** -25,
      2 ** -25 * 1.01,
      6.1e-5,
      1e-5,
      0.1,
      0.3333,
      NaN,
      Infinity,
    ].map((v) => [v]);
    const half = (v: number) => {
      if (Number.isNaN(v) || !Number.isFinite(v) || v === 0) return v;
      const e = Math.max(Math.floor(Math.log2(Math.abs(v))), -14);
      const unit = 2 ** (e - 10);
      const n = v / unit;
      const low = Math.floor(n);
      const even = n - low > 0.5 || (n - low === 0.5 && low % 2 !== 0) ? low + 1 : low;
      return Math.abs(even * unit) >= 65536
        ? Math.sign(v) * Infinity
        : even * unit === 0
          ? v < 0
            ? -0
            : 0
          : even * unit;
    };
    expect(floats('quantizeToF16(x)', rows)).toEqual(rows.map(([v]) => half(Math.fround(v!))));
    expect(floats('unpack2x16float(pack2x16float(vec2f(0.0, x))).y', rows)).toEqual(
      rows.map(([v]) => half(Math.fround(v!))),
    );
    const enable = 'enable f16;';
    expect(floats('f32(f16(x))', rows, enable)).toEqual(rows.map(([v]) => half(Math.fround(v!))));
    expect(
      floats(
        'f32(f16(x) * f16(y) + f16(y))',
        [
          [1.5, 0.1],
          [1000, 100],
          [0.001, 0.002],
        ],
        enable,
      ),
    ).toEqual(
      [
        [1.5, 0.1],
        [1000, 100],
        [0.001, 0.002],
      ].map(([x, y]) => half(half(half(x!) * half(y!)) + half(y!))),
    );
    expect(words('bitcast<u32>(vec2h(f16(1), f16(-2)) + bitcast<vec2h>(a))', [[0x40003c00]], enable)).toEqual([
      0x00004000,
    ]);
  });

  it('gives NaN always the same bits', () => {
    expect(words('bitcast<u32>(sqrt(bitcast<f32>(a)))', [[0xbf800000], [0xffc00001]])).toEqual([
      0x7fc00000, 0x7fc00000,
    ]);
    const wgsl = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = x[id.x] - x[id.x]; }`;
    const [result] = execute(wgsl, { mode, buffers: [new Float32Array(8).fill(Infinity)] });
    expect([...new Uint32Array(result!)]).toEqual(Array(8).fill(0x7fc00000));
  });

  it('selects, swizzles, multiplies matrices', () => {
    expect(
      words('select(vec2u(a, b), vec2u(b, a), vec2<bool>(a < b, b < a)).y', [
        [1, 2],
        [2, 1],
      ]),
    ).toEqual([2, 2]);
    expect(words('dot(vec3u(a, b, c).zxy, vec3u(1, 10, 100))', [[1, 2, 3]])).toEqual([3 + 10 + 200]);
    const m = 'mat3x2f(x, y, z, 4, 5, 6)';
    expect(floats(`(${m} * vec3f(1, 2, 3)).y + (vec2f(1, 2) * ${m}).z * 100`, [[1, 2, 3]])).toEqual([
      2 + 8 + 18 + 1700,
    ]);
    expect(floats(`transpose(${m})[1].z + determinant(mat3x3f(x, 2, 3, 0, y, 6, 7, 8, z)) * 10`, [[1, 5, 9]])).toEqual([
      6 + 10 * (45 - 48 + 84 - 105),
    ]);
    expect(floats('(mat2x2f(x, y, z, 4) * mat2x2f(5, 6, 7, 8))[1].x', [[1, 2, 3]])).toEqual([7 + 24]);
    expect(floats('determinant(mat4x4f(x, 0, 0, 2, 0, y, 0, 0, 0, 0, z, 0, 1, 0, 0, 5))', [[2, 3, 4]])).toEqual([96]);
  });

  it('bounds every access by its binding', () => {
    const wgsl = `struct Data { scale: vec4f, items: array<vec3f> }
      @group(0) @binding(0) var<storage, read_write> data: Data;
      @group(0) @binding(1) var<storage> at: array<u32>;
      @group(0) @binding(2) var<storage, read_write> got: array<f32>;
      @group(0) @binding(3) var<storage, read_write> other: array<u32, 4>;
      @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) {
        let i = at[id.x];
        got[id.x] = data.items[i].z + f32(arrayLength(&data.items)) * 100;
        data.items[i].y = 7;
        other[i] = 8;
      }`;
    const data = Float32Array.from({ length: 4 + 4 * 3 }, (_, i) => i);
    const at = Uint32Array.from([0, 2, 3, 0xffffffff, 0x10000000, 0x40000000, 0x80000000, 5]);
    const [items, , got, other] = execute(wgsl, { mode, buffers: [data, at, new Float32Array(7), new Uint32Array(4)] });
    const expected = [...data];
    expected[5] = 7;
    expected[13] = 7;
    expect([...new Float32Array(items!)]).toEqual(expected);
    expect([...new Float32Array(got!)]).toEqual([306, 314, 300, 300, 300, 300, 300]);
    expect([...new Uint32Array(other!)]).toEqual([8, 0, 8, 8]);
  });
});
