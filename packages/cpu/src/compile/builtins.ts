// WGSL's built-in functions on values, as scalars. https://www.w3.org/TR/WGSL/#builtin-functions
import type { MatrixType, ScalarKind, Type } from '../program/types.js';
import { bitBuiltins } from './bits.js';
import type { Graph, Value } from './ir.js';
import { binary, dot, isFloat, rounded } from './operators.js';

/** What the built-ins are written in: arithmetic of one scalar type. */
export class Scalars {
  constructor(
    readonly g: Graph,
    readonly scalar: ScalarKind,
  ) {}

  get signed(): boolean {
    return this.scalar === 'i32';
  }

  get float(): boolean {
    return isFloat(this.scalar);
  }

  add = (a: Value, b: Value): Value => binary(this.g, '+', this.scalar, a, b);
  sub = (a: Value, b: Value): Value => binary(this.g, '-', this.scalar, a, b);
  mul = (a: Value, b: Value): Value => binary(this.g, '*', this.scalar, a, b);
  div = (a: Value, b: Value): Value => binary(this.g, '/', this.scalar, a, b);
  lt = (a: Value, b: Value): Value => binary(this.g, '<', this.scalar, a, b);
  gt = (a: Value, b: Value): Value => binary(this.g, '>', this.scalar, a, b);
  eq = (a: Value, b: Value): Value => binary(this.g, '==', this.scalar, a, b);

  /** A constant of the scalar type. */
  of(value: number): Value {
    return this.float ? this.g.f32(value) : this.g.i32(value);
  }

  /** A float instruction whose result is rounded to the type. */
  f(name: string, ...args: readonly (Value | number)[]): Value {
    return rounded(this.g, this.scalar, this.g.float(name, ...args));
  }

  /** `e2` if it is less, else `e1`: what a NaN gives follows from that, the same in both modes. */
  min = (a: Value, b: Value): Value => {
    if (this.float) return this.g.float('pmin', a, b);
    return this.g.int(this.signed ? 'min_s' : 'min_u', a, b);
  };

  max = (a: Value, b: Value): Value => {
    if (this.float) return this.g.float('pmax', a, b);
    return this.g.int(this.signed ? 'max_s' : 'max_u', a, b);
  };

  sqrt = (a: Value): Value => this.f('sqrt', a);
  floor = (a: Value): Value => this.f('floor', a);
  dot = (a: readonly Value[], b: readonly Value[]): Value => dot(this.g, this.scalar, a, b);
  length = (a: readonly Value[]): Value => {
    if (a.length === 1) return this.f('abs', a[0]!);
    return this.sqrt(this.dot(a, a));
  };
}

/** Component by component; the arguments are scalars. */
const componentwise: Record<string, (s: Scalars, ...args: Value[]) => Value> = {
  abs(s, a) {
    if (s.float) return s.f('abs', a);
    return s.signed ? s.g.select(s.lt(a, s.of(0)), s.sub(s.of(0), a), a) : a;
  },
  ceil: (s, a) => s.f('ceil', a),
  floor: (s, a) => s.floor(a),
  round: (s, a) => s.f('nearest', a),
  trunc: (s, a) => s.f('trunc', a),
  sqrt: (s, a) => s.sqrt(a),
  fract: (s, a) => s.sub(a, s.floor(a)),
  inverseSqrt: (s, a) => s.div(s.of(1), s.g.float('sqrt', a)),
  min: (s, a, b) => s.min(a, b),
  max: (s, a, b) => s.max(a, b),
  clamp: (s, a, low, high) => s.min(s.max(a, low), high),
  saturate: (s, a) => s.min(s.max(a, s.of(0)), s.of(1)),
  step: (s, edge, a) => s.g.select(binary(s.g, '<=', s.scalar, edge, a), s.of(1), s.of(0)),
  fma: (s, a, b, c) => s.f('add', s.g.float('mul', a, b), c),
  mix: (s, a, b, t) => s.add(s.mul(a, s.sub(s.of(1), t)), s.mul(b, t)),
  degrees: (s, a) => s.f('mul', a, 180 / Math.PI),
  radians: (s, a) => s.f('mul', a, Math.PI / 180),
  sign: (s, a) => s.g.select(s.gt(a, s.of(0)), s.of(1), s.g.select(s.lt(a, s.of(0)), s.of(-1), s.of(0))),
  smoothstep(s, low, high, a) {
    const t = componentwise.saturate!(s, s.div(s.sub(a, low), s.sub(high, low)));
    return s.mul(s.mul(t, t), s.sub(s.of(3), s.mul(s.of(2), t)));
  },
  ldexp(s, a, exponent) {
    // Two steps, since 2^e alone may overflow or vanish; beyond ±276 nothing changes any more.
    const { g } = s;
    const limited = g.int('max_s', g.int('min_s', exponent, 276), -276);
    const half = g.int('shr_s', limited, 1);
    const power = (e: Value) => {
      const biased = g.int('shl', g.int('add', e, 127), 23);
      return g.float('reinterpret_i32', biased);
    };
    const rest = g.int('sub', limited, half);
    // |half| and |rest| are at most 138: cut once more to what a factor can hold.
    const cut = (e: Value) => g.int('max_s', g.int('min_s', e, 127), -126);
    const factors = [cut(half), g.int('sub', half, cut(half)), cut(rest), g.int('sub', rest, cut(rest))];
    const scaled = factors.reduce((product, e) => g.float('mul', product, power(e)), a);
    return rounded(g, s.scalar, scaled);
  },
  quantizeToF16: (s, a) => s.g.op('f16.round', 'f32', [a]),
};

/** Transcendental functions: of math/, and rounded to the type. */
const transcendental = new Set(
  'exp exp2 log log2 sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh pow'.split(' '),
);

type Whole = (s: Scalars, args: (readonly Value[])[], types: readonly Type[]) => readonly Value[];

/** On whole vectors and matrices; the arguments are lists of scalars. */
const whole: Record<string, Whole> = {
  all: (s, [a]) => [a!.reduce((x, y) => s.g.and(x, y))],
  any: (s, [a]) => [a!.reduce((x, y) => s.g.or(x, y))],
  select: (s, [no, yes, condition]) =>
    no!.map((value, i) => s.g.select(condition![i] ?? condition![0]!, yes![i]!, value)),
  dot: (s, [a, b]) => [s.dot(a!, b!)],
  length: (s, [a]) => [s.length(a!)],
  distance: (s, [a, b]) => [s.length(a!.map((value, i) => s.sub(value, b![i]!)))],
  normalize(s, [a]) {
    const length = s.length(a!);
    return a!.map((value) => s.div(value, length));
  },
  cross: (s, [a, b]) =>
    [0, 1, 2].map((i) => {
      const [j, k] = [(i + 1) % 3, (i + 2) % 3] as const;
      return s.sub(s.mul(a![j]!, b![k]!), s.mul(a![k]!, b![j]!));
    }),
  faceForward(s, [a, incident, reference]) {
    const front = s.lt(s.dot(incident!, reference!), s.of(0));
    return a!.map((value) => s.g.select(front, value, s.g.float('neg', value)));
  },
  reflect(s, [a, normal]) {
    const twice = s.mul(s.of(2), s.dot(normal!, a!));
    return a!.map((value, i) => s.sub(value, s.mul(twice, normal![i]!)));
  },
  refract(s, [a, normal, ratios]) {
    const ratio = ratios![0];
    const along = s.dot(normal!, a!);
    const one = s.of(1);
    const k = s.sub(one, s.mul(s.mul(ratio!, ratio!), s.sub(one, s.mul(along, along))));
    const scale = s.add(s.mul(ratio!, along), s.sqrt(k));
    const total = s.lt(k, s.of(0));
    return a!.map((value, i) => s.g.select(total, s.of(0), s.sub(s.mul(ratio!, value), s.mul(scale, normal![i]!))));
  },
  mix: (s, [a, b, t]) => a!.map((value, i) => componentwise.mix!(s, value, b![i]!, t![i] ?? t![0]!)),
  transpose(_, [a], [type]) {
    const { columns, rows } = type as MatrixType;
    return Array.from({ length: columns * rows }, (_, i) => a![(i % columns) * rows + Math.floor(i / columns)]!);
  },
  determinant: (s, [a], [type]) => [determinant(s, (type as MatrixType).columns, a!)],
  modf(s, [a]) {
    const wholes = a!.map((value) => s.f('trunc', value));
    return [...a!.map((value, i) => s.sub(value, wholes[i]!)), ...wholes];
  },
  frexp(s, [a]) {
    const parts = a!.map((value) => frexp(s, value));
    return [...parts.map(([fraction]) => fraction), ...parts.map(([, exponent]) => exponent)];
  },
};

/** A built-in's result as scalars. */
export function builtin(
  g: Graph,
  name: string,
  type: Type,
  types: readonly Type[],
  args: (readonly Value[])[],
): readonly Value[] {
  const { scalar } = (name === 'select' ? type : types[0]) as { scalar: ScalarKind };
  const s = new Scalars(g, scalar);
  if (whole[name]) return whole[name](s, args, types);
  const each = componentwise[name] ?? bitBuiltins.componentwise[name];
  const length = Math.max(...args.map((arg) => arg.length));
  const rows = Array.from({ length }, (_, i) => args.map((arg) => arg[i] ?? arg[0]!));
  if (each) return rows.map((row) => each(s, ...row));
  if (transcendental.has(name)) return rows.map((row) => rounded(g, scalar, g.op(`math.${name}`, 'f32', row)));
  const packed = bitBuiltins.whole[name];
  if (packed) return packed(s, [args[0]!, args[1] ?? []]);
  throw new Error(`internal: no built-in "${name}".`);
}

/** By the first column; a minor of a 4 × 4 matrix is a 3 × 3 one. */
function determinant(s: Scalars, size: number, a: readonly Value[]): Value {
  const at = (column: number, row: number) => a[column * size + row]!;
  if (size === 2) return s.sub(s.mul(at(0, 0), at(1, 1)), s.mul(at(1, 0), at(0, 1)));
  let sum: Value | undefined;
  for (let row = 0; row < size; row++) {
    const minor: Value[] = [];
    for (let column = 1; column < size; column++) {
      for (let other = 0; other < size; other++) if (other !== row) minor.push(at(column, other));
    }
    const product = s.mul(at(0, row), determinant(s, size - 1, minor));
    sum = !sum ? product : row % 2 ? s.sub(sum, product) : s.add(sum, product);
  }
  return sum!;
}

/** x = fraction · 2^exponent with |fraction| in [0.5, 1); zero, infinities and NaN are their own fraction. */
function frexp(s: Scalars, value: Value): readonly [Value, Value] {
  const { g } = s;
  const magnitude = g.int('and', g.int('reinterpret_f32', value), 0x7fffffff);
  const small = g.test('lt_u', magnitude, 0x00800000);
  const special = g.or(g.test('eq', magnitude, 0), g.test('ge_u', magnitude, 0x7f800000));
  const normal = g.select(small, g.float('mul', value, 2 ** 24), value);
  const word = g.int('reinterpret_f32', normal);
  const exponent = g.int(
    'sub',
    g.int('and', g.int('shr_u', word, 23), 255),
    g.select(small, g.i32(126 + 24), g.i32(126)),
  );
  const fraction = g.float('reinterpret_i32', g.int('or', g.int('and', word, 0x807fffff), 0x3f000000));
  return [g.select(special, value, fraction), g.select(special, g.i32(0), exponent)];
}
