// Built-ins on bits, and those that pack and unpack. https://www.w3.org/TR/WGSL/#bit-manip-builtin-functions
import type { Scalars } from './builtins.js';
import { f16Bits, f16Of } from './convert.js';
import type { Graph, Value } from './ir.js';
import { binary } from './operators.js';

/** Integer arithmetic in short. */
const int = ({ g }: Scalars, ...instruction: Parameters<Graph['int']>): Value => g.int(...instruction);

const componentwise: Record<string, (s: Scalars, ...args: Value[]) => Value> = {
  countLeadingZeros: (s, a) => int(s, 'clz', a),
  countTrailingZeros: (s, a) => int(s, 'ctz', a),
  countOneBits: (s, a) => int(s, 'popcnt', a),
  firstTrailingBit: (s, a) => s.g.select(s.eq(a, s.of(0)), s.of(-1), int(s, 'ctz', a)),
  /** 31 − leading zeros, of the complement where negative; −1 of none comes out by itself. */
  firstLeadingBit(s, a) {
    const folded = s.signed ? int(s, 'xor', a, int(s, 'shr_s', a, 31)) : a;
    return int(s, 'sub', 31, int(s, 'clz', folded));
  },
  reverseBits(s, a) {
    let word = a;
    for (const [shift, mask] of [
      [1, 0x55555555],
      [2, 0x33333333],
      [4, 0x0f0f0f0f],
      [8, 0x00ff00ff],
    ] as const) {
      const up = int(s, 'shl', int(s, 'and', word, mask), shift);
      word = int(s, 'or', up, int(s, 'and', int(s, 'shr_u', word, shift), mask));
    }
    return int(s, 'rotl', word, 16);
  },
  extractBits(s, a, offset, count) {
    const { o, c } = range(s, offset, count);
    // Shifts by 32 − … are masked to 0 where no bit is asked for, so that case is selected.
    const top = int(s, 'shl', a, int(s, 'and', int(s, 'sub', 32, int(s, 'add', o, c)), 31));
    const down = int(s, s.signed ? 'shr_s' : 'shr_u', top, int(s, 'and', int(s, 'sub', 32, c), 31));
    return s.g.select(s.g.test('eq', c, 0), s.g.i32(0), down);
  },
  insertBits(s, a, b, offset, count) {
    const { o, c } = range(s, offset, count);
    const ones = int(s, 'shr_u', -1, int(s, 'and', int(s, 'sub', 32, c), 31));
    // With o = 32 there are no bits to insert, so the wrapped shift does not matter.
    const mask = int(s, 'shl', ones, int(s, 'and', o, 31));
    const moved = int(s, 'and', int(s, 'shl', b, int(s, 'and', o, 31)), mask);
    const merged = int(s, 'or', int(s, 'and', a, int(s, 'xor', mask, -1)), moved);
    return s.g.select(s.g.test('eq', c, 0), a, merged);
  },
};

/** Offset at most 32, count at most what is left above it. */
function range(s: Scalars, offset: Value, count: Value): { o: Value; c: Value } {
  const o = int(s, 'min_u', offset, 32);
  return { o, c: int(s, 'min_u', count, int(s, 'sub', 32, o)) };
}

type Whole = (s: Scalars, args: readonly [readonly Value[], readonly Value[]]) => readonly Value[];

/** Parts of a word side by side, the first lowest. */
function join(s: Scalars, parts: readonly Value[], width: number): Value[] {
  const mask = 2 ** width - 1;
  const placed = parts.map((part, i) => int(s, 'shl', int(s, 'and', part, mask), i * width));
  return [placed.reduce((a, b) => int(s, 'or', a, b))];
}

/** The parts of a word, with their sign or without. */
function split(s: Scalars, word: Value, width: number, signed: boolean): Value[] {
  return Array.from({ length: 32 / width }, (_, i) =>
    int(s, signed ? 'shr_s' : 'shr_u', int(s, 'shl', word, 32 - width * (i + 1)), 32 - width),
  );
}

/** Numbers in [−1, 1] or [0, 1] as integers, rounded half up as the specification writes it. */
function packNorm(width: number, signed: boolean): Whole {
  return (s, [a]) => {
    const scale = s.of(signed ? 2 ** (width - 1) - 1 : 2 ** width - 1);
    const parts = a!.map((value) => {
      const limited = s.min(s.max(value, s.of(signed ? -1 : 0)), s.of(1));
      const scaled = s.floor(s.add(s.of(0.5), s.mul(scale, limited)));
      return s.g.int('trunc_sat_f32_s', scaled);
    });
    return join(s, parts, width);
  };
}

function unpackNorm(width: number, signed: boolean): Whole {
  return (s, [[word]]) =>
    split(s, word!, width, signed).map((part) => {
      const { g } = s;
      const value = g.float('convert_i32_s', part);
      const scaled = g.float('div', value, signed ? 2 ** (width - 1) - 1 : 2 ** width - 1);
      return signed ? g.float('pmax', scaled, -1) : scaled;
    });
}

function clamped(s: Scalars, value: Value, signed: boolean): Value {
  if (!signed) return int(s, 'min_u', value, 255);
  return int(s, 'max_s', int(s, 'min_s', value, 127), -128);
}

function dot4(signed: boolean): Whole {
  return (s, [[a], [b]]) => {
    const right = split(s, b!, 8, signed);
    const products = split(s, a!, 8, signed).map((part, i) => binary(s.g, '*', 'i32', part, right[i]!));
    return [products.reduce((sum, product) => int(s, 'add', sum, product))];
  };
}

const whole: Record<string, Whole> = {
  pack4x8snorm: packNorm(8, true),
  pack4x8unorm: packNorm(8, false),
  pack2x16snorm: packNorm(16, true),
  pack2x16unorm: packNorm(16, false),
  unpack4x8snorm: unpackNorm(8, true),
  unpack4x8unorm: unpackNorm(8, false),
  unpack2x16snorm: unpackNorm(16, true),
  unpack2x16unorm: unpackNorm(16, false),
  pack2x16float: (s, [a]) =>
    join(
      s,
      a!.map((value) => f16Bits(s.g, s.g.op('f16.round', 'f32', [value]))),
      16,
    ),
  unpack2x16float: (s, [[word]]) => [f16Of(s.g, word!), f16Of(s.g, int(s, 'shr_u', word!, 16))],
  pack4xI8: (s, [a]) => join(s, a!, 8),
  pack4xU8: (s, [a]) => join(s, a!, 8),
  pack4xI8Clamp: (s, [a]) =>
    join(
      s,
      a!.map((value) => clamped(s, value, true)),
      8,
    ),
  pack4xU8Clamp: (s, [a]) =>
    join(
      s,
      a!.map((value) => clamped(s, value, false)),
      8,
    ),
  unpack4xI8: (s, [[word]]) => split(s, word!, 8, true),
  unpack4xU8: (s, [[word]]) => split(s, word!, 8, false),
  dot4I8Packed: dot4(true),
  dot4U8Packed: dot4(false),
};

export const bitBuiltins = { componentwise, whole };
