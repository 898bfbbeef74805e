import { DTypeError } from '../../errors.js';
import { floatLiteral, floats } from '../../graph/dtype.js';
import { isLeafTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { logicalAnd } from '../compare/comparisons.js';
import { type BinaryFunction, binary } from '../define/elementwise.js';
import { applyOp, pointwise, sameType, type WithOp, withOp } from '../define/op.js';
import { where } from '../where.js';
import { log } from './functions.js';

/** Whole exponents up to this one are multiplied out: exactly, where the result is a whole number that f32 holds. */
const mostMultiplied = 64;

const op = pointwise<{ exponent: number }>({
  name: 'pow',
  cost: 6,
  infer: sameType('pow', floats),
  emit({ attributes: { exponent }, read, call, name }) {
    const x = read(0);
    const n = Math.abs(exponent);
    if (!Number.isInteger(exponent) || n > mostMultiplied) return call(ieeePow, x, floatLiteral(exponent));
    if (n === 0) return '1.0f';
    let product: string | undefined;
    for (let [square, rest] = [x, n]; ; square = name(`${square} * ${square}`)) {
      if (rest % 2 === 1) product = product ? name(`${product} * ${square}`) : square;
      rest = Math.floor(rest / 2);
      if (rest === 0) return exponent < 0 ? `1.0f / ${product}` : product!;
    }
  },
  relate: (relation) => relation,
  vjp: ({ inputs, cotangent, attributes: { exponent } }) => [
    exponent === 0 ? undefined : cotangent.mul(pow(inputs[0]!, exponent - 1)).mul(exponent),
  ],
});

/**
 * WGSL's pow is undefined for x < 0, and software adapters differ there and at 0: signs, zeros and infinities are IEEE's
 * (754-2019, §9.2.1), by their bits, and pow itself sees positive numbers only.
 */
const ieeePow = {
  declarations: [
    `fn ieee_pow(x: f32, y: f32) -> f32 {
  let zero = bitcast<u32>(x) & 0u;
  let infinity = 0x7f800000u + zero;
  let x_size = bitcast<u32>(x) & 0x7fffffffu;
  let y_size = bitcast<u32>(y) & 0x7fffffffu;
  let one = 0x3f800000u;
  if (y_size == 0u || bitcast<u32>(x) == one) { return 1.0f; }
  if (x_size > infinity || y_size > infinity) { return bitcast<f32>(0x7fc00000u + zero); }
  let falls = bitcast<u32>(y) != y_size;
  if (y_size == infinity) {
    if (x_size == one) { return 1.0f; }
    return bitcast<f32>(select(zero, infinity, (x_size > one) != falls));
  }
  // From 2^23 on a float is whole, and from 2^24 on even.
  let size = bitcast<f32>(y_size);
  let whole = y_size >= 0x4b000000u || floor(size) == size;
  let odd = whole && y_size < 0x4b800000u && (u32(size) & 1u) == 1u;
  let negative = bitcast<u32>(x) != x_size;
  let sign = select(0u, 0x80000000u, negative && odd);
  if (x_size == 0u || x_size == infinity) {
    return bitcast<f32>(sign | select(zero, infinity, (x_size == infinity) != falls));
  }
  if (negative && !whole) { return bitcast<f32>(0x7fc00000u + zero); }
  return bitcast<f32>(sign | bitcast<u32>(pow(bitcast<f32>(x_size), y)));
}`,
  ],
};

/** @internal {@link pow} of two tensors. */
export const power: BinaryFunction = binary({
  name: 'power',
  dtypes: floats,
  cost: 12,
  kernel: ieeePow,
  vjp({ a, b, y, cotangent }) {
    // Where the exponent is 0 the result does not depend on x, and 0 · ∞ would be NaN.
    const slope = where(b.equal(0), 0, b.mul(power(a, b.sub(1))));
    // At 0 the result stays 0 for every exponent from 0 on, and 0 · log 0 would be NaN.
    const growth = where(logicalAnd(a.equal(0), b.greaterEqual(0)), 0, y.mul(log(a)));
    return [cotangent.mul(slope), cotangent.mul(growth)];
  },
});

/**
 * x ^ exponent, elementwise, for floats. A number as exponent is compiled in; a tensor broadcasts. As IEEE 754 has it:
 * NaN for x < 0 unless the exponent is whole, 1 for an exponent of 0, and signs, zeros and infinities by their rules.
 * Whole numbers up to 64 are multiplied out; otherwise the relative error is about |exponent · log x| · 10⁻⁷, WGSL's own.
 * The gradient by the exponent is NaN for x < 0.
 * @throws DTypeError for integers
 */
export const pow: WithOp<(x: TensorLike, exponent: TensorLike) => Tensor> = withOp(op, (x, exponent) => {
  if (typeof exponent !== 'number' && !isLeafTensor(exponent))
    throw new DTypeError('pow', `the exponent must be a number or a tensor, got ${typeof exponent}.`);
  if (typeof exponent === 'number' && Number.isFinite(Math.fround(exponent)) && isLeafTensor(x))
    return applyOp(op, [x], { exponent });
  return power(x, exponent);
});
