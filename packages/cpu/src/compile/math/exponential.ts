// exp and log, and functions made from them. Polynomials are minimax fits of the quotients named next to them.
import type { Vector, VectorMath } from './vector.js';

const log2e = Math.LOG2E;
/** ln 2 in two parts; the first has so few bits that its products with whole exponents are exact. */
const ln2High = 0.693359375;
const ln2Low = -0.00021219444005469057;

/** e^x within 2 units in the last place; subnormal results included. */
export function exp(m: VectorMath, x: Vector): Vector {
  // Beyond these bounds the result is 0 or ∞, by the scaling below; NaN goes through.
  const bounded = m.op('f32x4', 'pmax', m.op('f32x4', 'pmin', x, 89), -104);
  const { n, whole } = nearest(m, m.mul(bounded, log2e));
  return scale(m, expReduced(m, bounded, n), whole);
}

/** e^x for 0 ≤ x < 88, where the scaling is one product. */
export function expWithin(m: VectorMath, x: Vector): Vector {
  const { n, whole } = nearest(m, m.mul(x, log2e));
  return m.mul(expReduced(m, x, n), power(m, whole));
}

/** e^x / 2^n. */
function expReduced(m: VectorMath, x: Vector, n: Vector): Vector {
  return expNearZero(m, m.sub(m.sub(x, m.mul(n, ln2High)), m.mul(n, ln2Low)));
}

/** x rounded to a whole number, half to even, and that as an integer: the low bits of x + 1.5 · 2^23. */
function nearest(m: VectorMath, x: Vector): { n: Vector; whole: Vector } {
  const shifted = m.add(x, 12582912);
  return { n: m.sub(shifted, 12582912), whole: m.op('i32x4', 'sub', shifted, 0x4b400000) };
}

/** 2^x within 2 units in the last place; whole powers are exact. */
export function exp2(m: VectorMath, x: Vector): Vector {
  const bounded = m.op('f32x4', 'pmax', m.op('f32x4', 'pmin', x, 129), -151);
  const { n, whole } = nearest(m, bounded);
  return scale(m, expNearZero(m, m.mul(m.sub(bounded, n), Math.LN2)), whole);
}

/** e^r for |r| ≤ ln 2 / 2: 1 + r + r² · (e^r − 1 − r) / r². */
function expNearZero(m: VectorMath, r: Vector): Vector {
  const coefficients = [0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.008368715643882751];
  const q = m.polynomial(r, [...coefficients, 0.0013814599951729178]);
  return m.add(m.add(m.mul(m.mul(r, r), q), r), 1);
}

/** x · 2^n for integers n in [−151, 129], in two steps: neither factor overflows, and subnormals round once. */
function scale(m: VectorMath, x: Vector, n: Vector): Vector {
  const half = m.shift('i32x4', 'shr_s', n, 1);
  return m.mul(m.mul(x, power(m, half)), power(m, m.op('i32x4', 'sub', n, half)));
}

/** 2^n for integers n in [−126, 127]. */
function power(m: VectorMath, n: Vector): Vector {
  return m.shift('i32x4', 'shl', m.op('i32x4', 'add', n, 127), 23);
}

/** ln x within 2 units in the last place; −∞ at zero, NaN below. */
export function log(m: VectorMath, x: Vector): Vector {
  const { exponent, logarithm } = splitLog(m, x);
  const sum = m.add(m.add(m.mul(exponent, ln2Low), logarithm), m.mul(exponent, ln2High));
  return logEdges(m, x, sum);
}

/** log₂ x within 3 units in the last place; exact for powers of two. */
export function log2(m: VectorMath, x: Vector): Vector {
  const { exponent, logarithm } = splitLog(m, x);
  return logEdges(m, x, m.add(m.mul(logarithm, log2e), exponent));
}

/** x = 2^exponent · f with f in [√½, √2], and ln f. */
function splitLog(m: VectorMath, x: Vector): { exponent: Vector; logarithm: Vector } {
  const tiny = m.op('f32x4', 'lt', x, 2 ** -126);
  const normal = m.select(tiny, m.mul(x, 2 ** 23), x);
  const shifted = m.op('i32x4', 'sub', normal, 0x3f3504f3); // the bits of √½
  const e = m.shift('i32x4', 'shr_s', shifted, 23);
  const f = m.sub(m.op('i32x4', 'sub', normal, m.shift('i32x4', 'shl', e, 23)), 1);
  const exponent = m.sub(m.op('f32x4', 'convert_i32x4_s', e), m.select(tiny, 23, 0));
  return { exponent, logarithm: logNearOne(m, f) };
}

/** ln(1 + f) for 1 + f in [√½, √2]: f − f²/2 + f³ · (ln(1 + f) − f + f²/2) / f³. */
function logNearOne(m: VectorMath, f: Vector): Vector {
  const q = m.polynomial(
    f,
    [
      0.3333331346511841, -0.25000008940696716, 0.2000211924314499, -0.1666799634695053, 0.14219550788402557,
      -0.12405591458082199, 0.11888174712657928, -0.11675640940666199, 0.06746601313352585,
    ],
  );
  const square = m.mul(f, f);
  return m.add(m.sub(m.mul(m.mul(square, f), q), m.mul(square, 0.5)), f);
}

function logEdges(m: VectorMath, x: Vector, finite: Vector): Vector {
  const atZero = m.select(m.op('f32x4', 'eq', x, 0), -Infinity, finite);
  const atInfinity = m.select(m.op('f32x4', 'eq', x, Infinity), Infinity, atZero);
  // Also for NaN, which is not ≥ 0.
  return m.select(m.op('f32x4', 'ge', x, 0), atInfinity, NaN);
}

/** ln(1 + x), also for small x: what rounding takes off 1 + x is added again, to first order. */
export function log1p(m: VectorMath, x: Vector): Vector {
  const u = m.add(x, 1);
  const lost = m.div(m.sub(x, m.sub(u, 1)), u);
  const finite = m.op('f32x4', 'lt', u, Infinity);
  return m.add(log(m, u), m.select(finite, lost, 0));
}

/** x^y as IEEE 754 has it, also for negative x and whole y; within 1 unit in the last place. Computed in f64. */
export function pow(m: VectorMath, x: Vector, y: Vector): Vector {
  const magnitude = m.abs(x);
  const low = powHalf(m, magnitude, y);
  const high = powHalf(m, m.shuffle(magnitude, magnitude, [2, 3, 2, 3]), m.shuffle(y, y, [2, 3, 2, 3]));
  const power = m.shuffle(low, high, [0, 1, 4, 5]);
  const half = m.mul(y, 0.5);
  const whole = m.op('f32x4', 'eq', m.op('f32x4', 'trunc', y), y);
  const odd = m.bits('and', whole, m.op('f32x4', 'ne', m.op('f32x4', 'trunc', half), half));
  const sign = m.bits('and', m.bits('and', x, odd), -0x80000000);
  const signed = m.bits('xor', power, sign);
  const negative = m.op('f32x4', 'lt', x, 0);
  const defined = m.select(m.bits('andnot', negative, whole), NaN, signed);
  // x^0 and 1^y are 1, even of NaN.
  const one = m.bits('or', m.op('f32x4', 'eq', y, 0), m.op('f32x4', 'eq', x, 1));
  return m.select(one, 1, defined);
}

/** The first two lanes of x^y for x ≥ 0, as f32 in lanes 0 and 1: 2^(y · log₂ x). */
function powHalf(m: VectorMath, x: Vector, y: Vector): Vector {
  const wide = m.op('f64x2', 'promote_low_f32x4', x);
  const shifted = m.op('i64x2', 'sub', wide, 0x3fe6a09e667f3800); // bits of √½, nearly
  const e = m.shift('i64x2', 'shr_s', shifted, 52);
  const f = m.op('i64x2', 'sub', wide, m.shift('i64x2', 'shl', e, 52));
  // ln f = 2 artanh s, s = (f − 1) / (f + 1)
  const s = m.op('f64x2', 'div', m.op('f64x2', 'sub', f, 1), m.op('f64x2', 'add', f, 1));
  const series = Array.from({ length: 9 }, (_, k) => (2 * log2e) / (2 * k + 1));
  const log2f = m.op('f64x2', 'mul', s, m.polynomial(m.op('f64x2', 'mul', s, s), series, 'f64x2'));
  const exponent = m.op('f64x2', 'convert_low_i32x4_s', m.shuffle(e, e, [0, 2, 0, 2]));
  let logarithm = m.op('f64x2', 'add', log2f, exponent);
  logarithm = m.select(m.op('f64x2', 'eq', wide, 0), -Infinity, logarithm, 'f64x2');
  logarithm = m.select(m.op('f64x2', 'eq', wide, Infinity), Infinity, logarithm, 'f64x2');
  logarithm = m.select(m.op('f64x2', 'ne', wide, wide), NaN, logarithm, 'f64x2');
  const product = m.op('f64x2', 'mul', logarithm, m.op('f64x2', 'promote_low_f32x4', y));
  const bounded = m.op('f64x2', 'max', m.op('f64x2', 'min', product, 160), -160);
  const n = m.op('f64x2', 'nearest', bounded);
  const r = m.op('f64x2', 'mul', m.op('f64x2', 'sub', bounded, n), Math.LN2);
  const factorials = Array.from({ length: 13 }, (_, k) => 1 / factorial(k));
  // In n + 1.5 · 2^52 the low bits are those of n as a whole number.
  const whole = m.op('f64x2', 'add', n, 6755399441055744);
  const power = m.shift('i64x2', 'shl', m.op('i64x2', 'add', whole, 1023), 52);
  const result = m.op('f64x2', 'mul', m.polynomial(r, factorials, 'f64x2'), power);
  return m.op('f32x4', 'demote_f64x2_zero', result);
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
