// Arithmetic on the values of constant expressions, scalar by scalar. An AbstractInt is a bigint, every other number a
// number; f32 and f16 values are rounded after each operation.
// https://www.w3.org/TR/WGSL/#const-expr and https://www.w3.org/TR/WGSL/#floating-point-evaluation
import { say } from '../say.js';
import { isFloat, type Scalar } from './types.js';

export type ScalarValue = number | bigint | boolean;

/** Why an expression has no value: an overflow, a division by zero. */
export class EvaluationError extends Error {}

const RANGES: Partial<Record<Scalar, readonly [bigint, bigint]>> = {
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  AbstractInt: [-(2n ** 63n), 2n ** 63n - 1n],
};

const view = new DataView(new ArrayBuffer(8));

/** Rounds to the nearest f16, ties to even; infinite beyond the range. */
export function roundF16(value: number): number {
  const size = Math.abs(value);
  if (!(size < 65520)) return size >= 65520 ? value * Number.POSITIVE_INFINITY : value;
  view.setFloat64(0, size);
  const exponent = Math.max(-14, ((view.getUint32(0) >>> 20) & 0x7ff) - 1023);
  // Adding 2^52 units of the last place makes the sum drop what is below it.
  const big = 2 ** (exponent - 10 + 52);
  const rounded = size + big - big;
  return value < 0 || Object.is(value, -0) ? -rounded : rounded;
}

/** Bits of an f16 value. */
export function f16Bits(value: number): number {
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  view.setFloat64(0, size);
  const exponent = ((view.getUint32(0) >>> 20) & 0x7ff) - 1023;
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

export function f16FromBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

export function f32Bits(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}

export function f32FromBits(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

/** A result in the type it has. @throws EvaluationError if it does not fit: only i32 and u32 wrap. */
export function settle(scalar: Scalar, value: ScalarValue): ScalarValue {
  switch (scalar) {
    case 'bool':
      return value;
    case 'i32':
      return Number(value) | 0;
    case 'u32':
      return Number(value) >>> 0;
    case 'AbstractInt': {
      const exact = BigInt(value);
      const [low, high] = RANGES.AbstractInt!;
      if (exact < low || exact > high) throw new EvaluationError(say`${exact} does not fit into 64 bits.`);
      return exact;
    }
    default: {
      const wide = Number(value);
      const rounded = scalar === 'f32' ? Math.fround(wide) : scalar === 'f16' ? roundF16(wide) : wide;
      if (Number.isFinite(rounded)) return rounded;
      if (Number.isNaN(rounded)) throw new EvaluationError(say`This expression has no number as its value.`);
      throw new EvaluationError(say`${Number.isFinite(wide) ? wide : 'The value'} is beyond the range of ${scalar}.`);
    }
  }
}

/** Value conversion. `automatic` or from an AbstractInt: what is out of range is an error. */
export function convertScalar(from: Scalar, to: Scalar, value: ScalarValue): ScalarValue {
  if (from === to) return value;
  if (to === 'bool') return Boolean(value);
  if (isFloat(to)) return settle(to, Number(value));
  if (typeof value === 'boolean') return to === 'AbstractInt' ? BigInt(value) : Number(value);
  const [low, high] = RANGES[to]!;
  if (typeof value === 'bigint') {
    if (value < low || value > high) throw new EvaluationError(say`${value} is beyond the range of ${to}.`);
    return to === 'AbstractInt' ? value : Number(value);
  }
  if (!isFloat(from)) return settle(to, value);
  return saturate(from, to, value);
}

/** Float → integer: toward zero, clamped to what the float type can hold of the integer's range. */
function saturate(from: Scalar, to: Scalar, value: number): number {
  const largest = to === 'u32' ? (from === 'f32' ? 4294967040 : 4294967295) : from === 'f32' ? 2147483520 : 2147483647;
  return Math.trunc(Math.min(Math.max(value, Number(RANGES[to]![0])), largest)) + 0;
}

/** `left operator right`, for operators other than shifts on operands of one type. */
export function binaryScalar(operator: string, scalar: Scalar, left: ScalarValue, right: ScalarValue): ScalarValue {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
  if (typeof left === 'boolean') return operator === '&' ? left && right : left || right;
  if (isFloat(scalar)) return settle(scalar, floatBinary(operator, scalar, left as number, right as number));
  const [a, b] = [BigInt(left), BigInt(right)];
  if (operator === '/' || operator === '%') {
    if (b === 0n) throw new EvaluationError(say`The divisor of "${operator}" is zero.`);
    const [low, high] = RANGES[scalar]!;
    if (a / b > high) throw new EvaluationError(say`${low} ${operator} -1 is beyond the range of ${scalar}.`);
  }
  return settle(scalar, scalar === 'AbstractInt' ? integerBinary(operator, a, b) : wrap(integerBinary(operator, a, b)));
}

const wrap = (value: bigint): number => Number(BigInt.asIntN(32, value));

function integerBinary(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    default:
      return a ^ b;
  }
}

function floatBinary(operator: string, scalar: Scalar, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default: {
      // WGSL's remainder, step by step as it is computed at run time: a - b * trunc(a / b).
      const round = scalar === 'f32' ? Math.fround : scalar === 'f16' ? roundF16 : Number;
      return a - round(b * Math.trunc(round(a / b)));
    }
  }
}

/** `value << count` and `value >> count`. */
export function shiftScalar(operator: string, scalar: Scalar, value: ScalarValue, by: ScalarValue): ScalarValue {
  const bits = scalar === 'AbstractInt' ? 64 : 32;
  const count = Number(by);
  if (count >= bits) throw new EvaluationError(say`A shift by ${count} moves all ${bits} bits of ${scalar} out.`);
  const exact = BigInt(value as number | bigint);
  if (operator === '>>')
    return settle(scalar, scalar === 'AbstractInt' ? exact >> BigInt(count) : Number(exact >> BigInt(count)));
  const shifted = exact << BigInt(count);
  const [low, high] = RANGES[scalar]!;
  if (shifted < low || shifted > high) throw new EvaluationError(say`${exact} << ${count} loses bits of ${scalar}.`);
  return settle(scalar, scalar === 'AbstractInt' ? shifted : Number(shifted));
}

/** `-value`, `!value` and `~value`. */
export function unaryScalar(operator: string, scalar: Scalar, value: ScalarValue): ScalarValue {
  if (operator === '!') return !value;
  if (operator === '~') return settle(scalar, scalar === 'AbstractInt' ? ~(value as bigint) : ~Number(value));
  return settle(scalar, -(value as number | bigint));
}

/** A number literal and its type. @throws EvaluationError if the value does not fit. */
export function literal(text: string): { scalar: Scalar; value: ScalarValue } {
  const hex = /^0x/i.test(text);
  const float = hex ? /[.p]/i.test(text) : /[.e]/i.test(text) || /[fh]$/.test(text);
  const suffix = (hex && !float ? /[iu]$/ : /[iufh]$/).exec(text)?.[0] ?? '';
  const digits = text.slice(0, text.length - suffix.length);
  if (!float) {
    const scalar: Scalar = suffix === 'i' ? 'i32' : suffix === 'u' ? 'u32' : 'AbstractInt';
    return { scalar, value: convertScalar('AbstractInt', scalar, settle('AbstractInt', BigInt(digits))) };
  }
  const scalar: Scalar = suffix === 'f' ? 'f32' : suffix === 'h' ? 'f16' : 'AbstractFloat';
  const value = hex ? hexFloat(digits) : Number(digits);
  const settled = settle(scalar, value);
  if (hex && suffix !== '' && (settled !== value || significantBits(digits) > 53)) {
    throw new EvaluationError(say`${text} is not exactly a value of ${scalar}.`);
  }
  return { scalar, value: settled };
}

function hexFloat(text: string): number {
  const [, whole = '', fraction = '', exponent = '0'] = /^0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i.exec(text)!;
  let power = Number(exponent) - 4 * fraction.length;
  // In steps: 2 ** power may be out of range where the product is not.
  let value = Number(BigInt(`0x${whole}${fraction}`));
  for (let step = 0; power !== 0 && value !== 0 && Number.isFinite(value); power -= step) {
    step = Math.max(-1000, Math.min(1000, power));
    value *= 2 ** step;
  }
  return value;
}

function significantBits(text: string): number {
  const bits = BigInt(`0x${text.replace(/^0x|\.|p.*$/gi, '')}`).toString(2);
  return bits.replace(/0+$/, '').length;
}
