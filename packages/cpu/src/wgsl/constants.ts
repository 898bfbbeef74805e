// Values of constant expressions: composites, conversions and the built-in functions on them.
// https://www.w3.org/TR/WGSL/#const-expr and https://www.w3.org/TR/WGSL/#numeric-builtin-functions

import { hostFunction } from '../compile/math/evaluate.js';
import { say } from '../say.js';
import {
  binaryScalar,
  convertScalar,
  EvaluationError,
  f16Bits,
  f16FromBits,
  f32Bits,
  f32FromBits,
  type ScalarValue,
  settle,
} from './scalars.js';
import { type AnyStruct, type AnyType, isFloat, type Scalar, scalarOf, show, sizeInBits } from './types.js';

/** A vector's components, a matrix' columns, an array's elements or a structure's members are a list. */
export type Value = ScalarValue | readonly Value[];

/** More elements than this a constant array does not have: each is a value of its own. */
const MAX_ELEMENTS = 65535;

/** @throws EvaluationError for an array beyond reason */
export function zeroValue(type: AnyType): Value {
  switch (type.kind) {
    case 'vector':
      return new Array(type.size).fill(zeroScalar(type.scalar));
    case 'matrix':
      return new Array(type.columns).fill(new Array(type.rows).fill(zeroScalar(type.scalar)));
    case 'array':
      if (type.count! > MAX_ELEMENTS) {
        throw new EvaluationError(say`A constant array has at most ${MAX_ELEMENTS} elements, not ${type.count}.`);
      }
      return new Array(type.count).fill(zeroValue(type.element));
    case 'struct':
      return type.members.map((member) => zeroValue(member.type));
    default:
      return zeroScalar(scalarOf(type)!);
  }
}

const zeroScalar = (scalar: Scalar): ScalarValue => (scalar === 'bool' ? false : scalar === 'AbstractInt' ? 0n : 0);

/** The value in another type of the same shape. */
export function convertValue(from: AnyType, to: AnyType, value: Value): Value {
  if (from === to) return value;
  if (from.kind === 'array') {
    const { element } = to as typeof from;
    return (value as readonly Value[]).map((item) => convertValue(from.element, element, item));
  }
  if (from.kind === 'struct') {
    const { members } = to as AnyStruct;
    return (value as readonly Value[]).map((item, i) => convertValue(from.members[i]!.type, members[i]!.type, item));
  }
  const [source, target] = [scalarOf(from)!, scalarOf(to)!];
  return source === target ? value : mapValue(value, (scalar) => convertScalar(source, target, scalar));
}

export function mapValue(value: Value, map: (scalar: ScalarValue) => ScalarValue): Value {
  return Array.isArray(value) ? value.map((item) => mapValue(item, map)) : map(value as ScalarValue);
}

/** Applies an operation to each component of values of one shape. */
export function zip(values: readonly Value[], apply: (parts: readonly ScalarValue[]) => ScalarValue): Value {
  const [first] = values;
  if (!Array.isArray(first)) return apply(values as readonly ScalarValue[]);
  return first.map((_, i) =>
    zip(
      values.map((value) => (value as readonly Value[])[i]!),
      apply,
    ),
  );
}

/** Linear-algebra product of matrices and vectors. */
export function multiply(left: AnyType, right: AnyType, a: Value, b: Value): Value {
  const scalar = scalarOf(left)!;
  const product = (row: readonly ScalarValue[], column: readonly ScalarValue[]) => dot(scalar, row, column);
  if (left.kind === 'vector') return (b as ScalarValue[][]).map((column) => product(a as ScalarValue[], column));
  const rows = transpose(a as ScalarValue[][]);
  if (right.kind === 'vector') return rows.map((row) => product(row, b as ScalarValue[]));
  return (b as ScalarValue[][]).map((column) => rows.map((row) => product(row, column)));
}

const transpose = (columns: readonly (readonly ScalarValue[])[]): ScalarValue[][] =>
  columns[0]!.map((_, row) => columns.map((column) => column[row]!));

function dot(scalar: Scalar, a: readonly ScalarValue[], b: readonly ScalarValue[]): ScalarValue {
  return a
    .map((item, i) => binaryScalar('*', scalar, item, b[i]!))
    .reduce((sum, item) => binaryScalar('+', scalar, sum, item));
}

type Numbers = readonly number[];
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

/** Ties to even. */
function roundEven(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

const lowBits = (count: number) => (count >= 32 ? 0xffffffff : 2 ** count - 1);
const trailing = (x: number) => (x === 0 ? 32 : 31 - Math.clz32(x & -x));

function popCount(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}

function reverse(x: number): number {
  let result = 0;
  for (let i = 0; i < 32; i++) result = (result << 1) | ((x >>> i) & 1);
  return result;
}

/** Arithmetic whose steps are rounded to the type, in the order in which kernels compute: one value for both. */
class Steps {
  constructor(readonly scalar: Scalar) {}

  round = (x: number): number => settle(this.scalar, x) as number;
  add = (a: number, b: number): number => binaryScalar('+', this.scalar, a, b) as number;
  sub = (a: number, b: number): number => binaryScalar('-', this.scalar, a, b) as number;
  mul = (a: number, b: number): number => binaryScalar('*', this.scalar, a, b) as number;
  div = (a: number, b: number): number => this.round(a / b);
  dot = (a: Numbers, b: Numbers): number => dot(this.scalar, a, b) as number;
  length = (v: Numbers): number => (v.length === 1 ? Math.abs(v[0]!) : this.round(Math.sqrt(this.dot(v, v))));
  /** As kernels hold what is not rounded to f16 yet. */
  wide = (x: number): number => (this.scalar === 'AbstractFloat' ? x : Math.fround(x));
}

/**
 * Transcendental functions, which JavaScript's engines compute differently: as kernels do, in f32. Only what an AbstractFloat
 * holds beyond the range of f32 is left to Math.
 */
function transcendental(name: string, scalar: Scalar, x: number, y = 0): number | undefined {
  const host = hostFunction(name);
  if (!host) return undefined;
  const value = host(x, y);
  if (scalar !== 'AbstractFloat' || (Number.isFinite(value) && Math.abs(value) >= 2 ** -126)) return value;
  return name === 'exp2' ? 2 ** x : (Math[name as 'atan2'] as (x: number, y: number) => number)(x, y);
}

/** Component by component; results are rounded and checked afterwards. The others are JavaScript's, by the same name. */
const COMPONENTS: Readonly<Record<string, (s: Steps, x: number, y: number, z: number, w: number) => ScalarValue>> = {
  // Not Math.abs: an AbstractInt is a bigint. Adding to −0 makes it 0.
  abs: (_, x) => (x < 0 ? -x : typeof x === 'number' ? x + 0 : x),
  sign: (_, x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  max: (_, x, y) => (x < y ? y : x),
  min: (_, x, y) => (y < x ? y : x),
  clamp: (_, x, low, high) => (x < low ? low : x > high ? high : x),
  degrees: (s, x) => x * s.wide(180 / Math.PI),
  radians: (s, x) => x * s.wide(Math.PI / 180),
  fract: (_, x) => x - Math.floor(x),
  inverseSqrt: (s, x) => 1 / s.wide(Math.sqrt(x)),
  round: (_, x) => roundEven(x),
  saturate: (_, x) => (x < 0 ? 0 : x > 1 ? 1 : x),
  pow: (s, x, y) => (x < 0 ? Number.NaN : transcendental('pow', s.scalar, x, y)!),
  step: (_, edge, x) => (edge <= x ? 1 : 0),
  fma: (s, x, y, z) => s.wide(x * y) + z,
  mix: (s, x, y, a) => s.add(s.mul(x, s.sub(1, a)), s.mul(y, a)),
  smoothstep: (s, low, high, x) => {
    const t = clamp(s.div(s.sub(x, low), s.sub(high, low)), 0, 1);
    return s.mul(s.mul(t, t), s.sub(3, s.mul(2, t)));
  },
  select: (_, no, yes, condition) => (condition ? yes : no),
  countLeadingZeros: (_, x) => Math.clz32(x),
  countOneBits: (_, x) => popCount(x),
  countTrailingZeros: (_, x) => trailing(x),
  firstLeadingBit: (s, x) => 31 - Math.clz32(s.scalar === 'i32' && x < 0 ? ~x : x),
  firstTrailingBit: (_, x) => (x === 0 ? -1 : trailing(x)),
  reverseBits: (_, x) => reverse(x),
  extractBits: (s, x, offset, count) => {
    const [start, bits] = [Math.min(offset, 32), Math.min(count, 32 - Math.min(offset, 32))];
    if (bits === 0) return 0;
    const raised = x << (32 - start - bits);
    return s.scalar === 'i32' ? raised >> (32 - bits) : raised >>> (32 - bits);
  },
  insertBits: (_, x, y, offset, count) => {
    if (offset >= 32) return x;
    const mask = lowBits(Math.min(count, 32 - offset)) << offset;
    return (x & ~mask) | ((y << offset) & mask);
  },
  // In two steps: 2 ** y may be out of range where the product is not.
  ldexp: (_, x, y) => x * 2 ** Math.trunc(Number(y) / 2) * 2 ** (Number(y) - Math.trunc(Number(y) / 2)),
  quantizeToF16: (_, x) => settle('f16', x),
};
type Whole = (s: Steps, values: readonly Value[], types: readonly AnyType[]) => Value;
const vector = (value: Value) => value as Numbers;
const plainDot = (a: Numbers, b: Numbers) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Parts of a word, each made of a component. */
function packed(bits: number, part: (x: number) => number): Whole {
  return (_, [v]) => vector(v!).reduce((word, x, i) => word | ((part(x) & lowBits(bits)) << (i * bits)), 0) >>> 0;
}

const packNormalized = (bits: number, most: number, low: number): Whole =>
  packed(bits, (x) => Math.floor(0.5 + most * clamp(x, low, 1)));

const WHOLE: Readonly<Record<string, Whole>> = {
  any: (_, [v]) => [v].flat().some(Boolean),
  all: (_, [v]) => [v].flat().every(Boolean),
  dot: (s, [a, b]) => dot(s.scalar, a as ScalarValue[], b as ScalarValue[]),
  cross: (s, [p, q]) => {
    const [a, b] = [vector(p!), vector(q!)];
    return [1, 2, 0].map((j, i) => s.sub(s.mul(a[j]!, b[(i + 2) % 3]!), s.mul(a[(i + 2) % 3]!, b[j]!)));
  },
  distance: (s, [a, b]) => s.length([a].flat().map((x, i) => s.sub(x as number, [b].flat()[i] as number))),
  length: (s, [v]) => s.length([v].flat() as Numbers),
  normalize: (s, [v]) => {
    const whole = s.length(vector(v!));
    return vector(v!).map((x) => s.div(x, whole));
  },
  faceForward: (s, [a, b, c]) => (s.dot(vector(b!), vector(c!)) < 0 ? a! : vector(a!).map((x) => -x)),
  reflect: (s, [a, b]) => {
    const twice = s.mul(2, s.dot(vector(b!), vector(a!)));
    return vector(a!).map((x, i) => s.sub(x, s.mul(twice, vector(b!)[i]!)));
  },
  refract: (s, [a, b, c]) => {
    const { add, sub, mul, dot, round } = s;
    const [ratio, along] = [c as number, dot(vector(b!), vector(a!))];
    const k = sub(1, mul(mul(ratio, ratio), sub(1, mul(along, along))));
    if (k < 0) return vector(a!).map(() => 0);
    const scale = add(mul(ratio, along), round(Math.sqrt(k)));
    return vector(a!).map((x, i) => sub(mul(ratio, x), mul(scale, vector(b!)[i]!)));
  },
  transpose: (_, [m]) => transpose(m as ScalarValue[][]),
  determinant: (s, [m]) => determinant(s, m as number[][]),
  frexp: (_, [v], [type]) =>
    split(type!, v!, (x) => {
      const exponent = x === 0 ? 0 : Math.max(-1073, Math.floor(Math.log2(Math.abs(x))) + 1);
      const fraction = x / 2 ** (exponent - 1) / 2;
      // log2 rounds: next to a power of two it may name the neighbour.
      if (Math.abs(fraction) >= 1) return [fraction / 2, exponent + 1];
      return Math.abs(fraction) < 0.5 && x !== 0 ? [fraction * 2, exponent - 1] : [fraction, exponent];
    }),
  modf: (_, [v], [type]) => split(type!, v!, (x) => [x - Math.trunc(x), Math.trunc(x)]),
  dot4U8Packed: (_, [a, b]) => plainDot(bytes(a!), bytes(b!)),
  dot4I8Packed: (_, [a, b]) => plainDot(bytes(a!).map(signed(8)), bytes(b!).map(signed(8))),
  pack4x8snorm: packNormalized(8, 127, -1),
  pack4x8unorm: packNormalized(8, 255, 0),
  pack2x16snorm: packNormalized(16, 32767, -1),
  pack2x16unorm: packNormalized(16, 65535, 0),
  pack2x16float: packed(16, (x) => f16Bits(settle('f16', x) as number)),
  pack4xI8: packed(8, (x) => x),
  pack4xU8: packed(8, (x) => x),
  pack4xI8Clamp: packed(8, (x) => clamp(x, -128, 127)),
  pack4xU8Clamp: packed(8, (x) => clamp(x, 0, 255)),
  unpack4x8snorm: (_, [x]) => bytes(x!).map((b) => Math.max(signed(8)(b) / 127, -1)),
  unpack4x8unorm: (_, [x]) => bytes(x!).map((b) => b / 255),
  unpack2x16snorm: (_, [x]) => halves(x!).map((h) => Math.max(signed(16)(h) / 32767, -1)),
  unpack2x16unorm: (_, [x]) => halves(x!).map((h) => h / 65535),
  unpack2x16float: (_, [x]) => halves(x!).map(f16FromBits),
  unpack4xI8: (_, [x]) => bytes(x!).map(signed(8)),
  unpack4xU8: (_, [x]) => bytes(x!),
};

const bytes = (x: Value): Numbers => [0, 8, 16, 24].map((shift) => ((x as number) >>> shift) & 0xff);
const halves = (x: Value): Numbers => [0, 16].map((shift) => ((x as number) >>> shift) & 0xffff);
const signed = (bits: number) => (x: number) => (x << (32 - bits)) >> (32 - bits);

function split(type: AnyType, value: Value, parts: (x: number) => readonly [number, number]): Value {
  const pairs = [value].flat().map((x) => parts(x as number));
  const [first, second] = [0, 1].map((which) => pairs.map((pair) => pair[which]!));
  return type.kind === 'vector' ? [first!, second!] : [first![0]!, second![0]!];
}

/** By the first column, as kernels do. */
function determinant(steps: Steps, columns: readonly Numbers[]): number {
  if (columns.length === 1) return columns[0]![0]!;
  const products = columns[0]!.map((x, row) => {
    const minor = columns.slice(1).map((column) => column.filter((_, i) => i !== row));
    return steps.mul(x, determinant(steps, minor));
  });
  return products.reduce((sum, product, row) => (row % 2 === 0 ? steps.add(sum, product) : steps.sub(sum, product)));
}

/**
 * A built-in function of constant arguments, which have the types of its parameters.
 * @throws EvaluationError where the result is out of range or undefined
 */
export function evaluateBuiltin(
  name: string,
  types: readonly AnyType[],
  values: readonly Value[],
  result: AnyType,
): Value {
  const scalar = scalarOf(types[0]!)!;
  const s = new Steps(scalar);
  const whole = WHOLE[name];
  if (whole !== undefined) return settleValue(result, whole(s, values, types));
  const apply =
    COMPONENTS[name] ??
    ((_: Steps, x: number, y: number) =>
      transcendental(name, scalar, x, y) ?? (Math[name as 'floor'] as (x: number) => number)(x));
  const [first] = values;
  // extractBits and its kin take one offset and count for all components.
  const wide = values.map((value) => (Array.isArray(first) && !Array.isArray(value) ? first.map(() => value) : value));
  const computed = zip(wide, (parts) => {
    const [x, y, z, w] = parts as Numbers;
    return apply(s, x!, y!, z!, w!);
  });
  return settleValue(result, computed);
}

/** Rounds each part of a computed value to its type. */
function settleValue(type: AnyType, value: Value): Value {
  if (type.kind !== 'struct') return mapValue(value, (scalar) => settle(scalarOf(type)!, scalar));
  return (value as readonly Value[]).map((part, i) => settleValue(type.members[i]!.type, part));
}

/**
 * What of a built-in's arguments is wrong by itself, whatever the others are: values are undefined where they are not known.
 * @throws EvaluationError
 */
export function checkArguments(name: string, types: readonly AnyType[], values: readonly (Value | undefined)[]): void {
  const each = (indices: readonly number[], wrong: (parts: Numbers) => boolean, message: string) => {
    const given = indices.map((i) => values[i]);
    if (given.some((value) => value === undefined)) return;
    zip(given as Value[], (parts) => {
      if (wrong(parts as Numbers)) throw new EvaluationError(message);
      return 0;
    });
  };
  const beyond = ([offset, count]: Numbers) => offset! + count! > 32;
  if (name === 'clamp') each([1, 2], ([low, high]) => low! > high!, say`The low bound of clamp is above the high one.`);
  if (name === 'smoothstep') each([0, 1], ([low, high]) => low === high, say`The edges of smoothstep are equal.`);
  if (name === 'extractBits') each([1, 2], beyond, say`extractBits reads beyond bit 32.`);
  if (name === 'insertBits') each([2, 3], beyond, say`insertBits writes beyond bit 32.`);
  if (name === 'ldexp') {
    const most = { f16: 16, f32: 128 }[scalarOf(types[0]!) as string] ?? 1024;
    each([1], ([exponent]) => Number(exponent) > most, say`The exponent of ldexp is above ${most}.`);
  }
}

/** The same bits as another type. @throws EvaluationError for an infinity or no number */
export function bitcastValue(from: AnyType, to: AnyType, value: Value): Value {
  const parts = [value].flat() as number[];
  const bits = sizeInBits(scalarOf(from)!);
  const words: number[] = [];
  const toBits = (x: number) =>
    scalarOf(from) === 'f32' ? f32Bits(x) : scalarOf(from) === 'f16' ? f16Bits(x) : x >>> 0;
  if (bits === 32) words.push(...parts.map(toBits));
  else for (let i = 0; i < parts.length; i += 2) words.push((toBits(parts[i]!) | (toBits(parts[i + 1]!) << 16)) >>> 0);
  const target = scalarOf(to)!;
  const raw = target === 'f16' ? words.flatMap((word) => halves(word)) : words;
  const read = (x: number) => {
    const result = target === 'f32' ? f32FromBits(x) : target === 'f16' ? f16FromBits(x) : x;
    if (isFloat(target) && !Number.isFinite(result))
      throw new EvaluationError(say`These bits are no finite ${show(to)}.`);
    return settle(target, result);
  };
  const results = raw.map(read);
  return to.kind === 'vector' ? results : results[0]!;
}
