// Sines and their inverses. Arguments are reduced in f64, so that results are good to the last places up to |x| = 2^28;
// beyond, WGSL promises nothing, and the results are those of zero. Polynomials are minimax fits.
import type { Vector, VectorMath } from './vector.js';

/** π/2 in two parts; the first has 25 bits, so that its products with quadrants below 2^28 are exact. */
const halfPiHigh = 1.570796251296997;
const halfPiLow = 7.549789954891882e-8;

export function sin(m: VectorMath, x: Vector): Vector {
  const { r, quadrant } = reduce(m, x);
  return m.select(m.op('f32x4', 'eq', x, 0), x, pick(m, r, quadrant)); // −0 stays
}

export function cos(m: VectorMath, x: Vector): Vector {
  const { r, quadrant } = reduce(m, x);
  return pick(m, r, m.op('i32x4', 'add', quadrant, 1));
}

export function tan(m: VectorMath, x: Vector): Vector {
  const { r, quadrant } = reduce(m, x);
  return m.div(pick(m, r, quadrant), pick(m, r, m.op('i32x4', 'add', quadrant, 1)));
}

/** x = quadrant · π/2 + r with |r| ≤ π/4; NaN of infinities. */
function reduce(m: VectorMath, x: Vector): { r: Vector; quadrant: Vector } {
  const near = m.op('f32x4', 'lt', m.abs(x), 2 ** 28);
  const bounded = m.select(near, x, m.sub(x, x)); // 0, and NaN of what is not finite
  const half = (v: Vector) => {
    const wide = m.op('f64x2', 'promote_low_f32x4', v);
    const n = m.op('f64x2', 'nearest', m.op('f64x2', 'mul', wide, 2 / Math.PI));
    const high = m.op('f64x2', 'sub', wide, m.op('f64x2', 'mul', n, halfPiHigh));
    const r = m.op('f64x2', 'sub', high, m.op('f64x2', 'mul', n, halfPiLow));
    const quadrant = m.op('i32x4', 'trunc_sat_f64x2_s_zero', n);
    return { r: m.op('f32x4', 'demote_f64x2_zero', r), quadrant };
  };
  const low = half(bounded);
  const high = half(m.shuffle(bounded, bounded, [2, 3, 2, 3]));
  return {
    r: m.shuffle(low.r, high.r, [0, 1, 4, 5]),
    quadrant: m.shuffle(low.quadrant, high.quadrant, [0, 1, 4, 5]),
  };
}

/** sin(r + quadrant · π/2). */
function pick(m: VectorMath, r: Vector, quadrant: Vector): Vector {
  const z = m.mul(r, r);
  const odd = [-0.1666666716337204, 0.008333329111337662, -0.00019839330343529582, 2.7182743451703573e-6];
  const sine = m.add(m.mul(m.mul(r, z), m.polynomial(z, odd)), r);
  const even = [0.0416666679084301, -0.0013888883404433727, 2.4799515813356265e-5, -2.720989016324893e-7];
  const cosine = m.add(m.sub(m.mul(m.mul(z, z), m.polynomial(z, even)), m.mul(z, 0.5)), 1);
  const swapped = m.op('i32x4', 'ne', m.bits('and', quadrant, 1), 0);
  const value = m.select(swapped, cosine, sine);
  return m.bits('xor', value, m.shift('i32x4', 'shl', m.bits('and', quadrant, 2), 30));
}

export function asin(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const steep = m.op('f32x4', 'gt', a, 0.5);
  // asin a = π/2 − 2 asin √((1 − a) / 2)
  const root = m.sqrt(m.mul(m.sub(1, a), 0.5));
  const angle = smallAsin(m, m.select(steep, root, a));
  return m.copySign(m.select(steep, m.sub(Math.PI / 2, m.add(angle, angle)), angle), x);
}

export function acos(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const steep = m.op('f32x4', 'gt', a, 0.5);
  const root = m.sqrt(m.mul(m.sub(1, a), 0.5));
  const angle = smallAsin(m, m.select(steep, root, a));
  const negative = m.op('f32x4', 'lt', x, 0);
  const twice = m.add(angle, angle);
  const nearEnds = m.select(negative, m.sub(Math.PI, twice), twice);
  return m.select(steep, nearEnds, m.sub(Math.PI / 2, m.copySign(angle, x)));
}

/** asin x for 0 ≤ x ≤ ½. */
function smallAsin(m: VectorMath, x: Vector): Vector {
  const z = m.mul(x, x);
  const odd = [0.16666659712791443, 0.07500510662794113, 0.04451572149991989, 0.03181760758161545];
  return m.add(m.mul(m.mul(x, z), m.polynomial(z, [...odd, 0.014402614906430244, 0.037565186619758606])), x);
}

export function atan(m: VectorMath, x: Vector): Vector {
  const a = m.abs(x);
  const large = m.op('f32x4', 'gt', a, 1);
  const angle = smallAtan(m, m.select(large, m.div(1, a), a));
  return m.copySign(m.select(large, m.sub(Math.PI / 2, angle), angle), x);
}

/** The angle of the point (x, y), with IEEE 754's answers for zeros and infinities. */
export function atan2(m: VectorMath, y: Vector, x: Vector): Vector {
  const [a, b] = [m.abs(y), m.abs(x)];
  const steep = m.op('f32x4', 'gt', a, b);
  const [smaller, larger] = [m.select(steep, b, a), m.select(steep, a, b)];
  const same = m.op('f32x4', 'eq', a, b);
  const origin = m.op('f32x4', 'eq', larger, 0);
  // 1 where both are equal, also infinite; 0 at the origin.
  const ratio = m.select(origin, 0, m.select(same, 1, m.div(smaller, larger)));
  const angle = smallAtan(m, ratio);
  const first = m.select(steep, m.sub(Math.PI / 2, angle), angle);
  const left = m.shift('i32x4', 'shr_s', x, 31); // by the sign bit, so that −0 is left
  const whole = m.copySign(m.select(left, m.sub(Math.PI, first), first), y);
  const undefinedAngle = m.bits('or', m.op('f32x4', 'ne', x, x), m.op('f32x4', 'ne', y, y));
  return m.select(undefinedAngle, NaN, whole);
}

/** atan x for 0 ≤ x ≤ 1; above tan(π/8) from atan((x − 1) / (x + 1)) + π/4. */
function smallAtan(m: VectorMath, x: Vector): Vector {
  const upper = m.op('f32x4', 'gt', x, 0.4142135679721832);
  const t = m.select(upper, m.div(m.sub(x, 1), m.add(x, 1)), x);
  const z = m.mul(t, t);
  const odd = [-0.33333316445350647, 0.19998487830162048, -0.14243802428245544, 0.10595638304948807];
  const small = m.add(m.mul(m.mul(t, z), m.polynomial(z, [...odd, -0.060824863612651825])), t);
  return m.add(small, m.select(upper, Math.PI / 4, 0));
}
