// Functions of one element.
import { signed } from '../../graph/dtype.js';
import { cosAccurate, sinAccurate } from '../../math/trigonometry.js';
import { element, std } from '../../shader/fn.js';
import { type UnaryFunction, unary } from '../define/elementwise.js';
import { zeroGradient } from '../define/op.js';

/** e ^ x, elementwise. */
export const exp: UnaryFunction = unary({
  name: 'exp',
  cost: 5,
  kernel: element((x: number) => {
    'use gpu';
    return std.exp(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y),
});

/**
 * The natural logarithm, elementwise: −∞ of 0, NaN below. By the bits of x, since WGSL promises nothing outside of
 * (0, ∞): a software adapter was seen to give −88 for 0 and log |x| below.
 */
export const log: UnaryFunction = unary({
  name: 'log',
  cost: 5,
  kernel: element((x: number) => {
    'use gpu';
    const bits = std.bitcastF32toU32(x);
    // WGSL has no constant that is infinite or NaN: they come about at run time, by adding a zero that is computed.
    const zero = bits & 0;
    if (bits === 0 || bits === 0x80000000) return std.bitcastU32toF32(0xff800000 + zero);
    if (bits > 0x7f800000) return std.bitcastU32toF32(0x7fc00000 + zero);
    return std.log(x);
  }),
  vjp: ({ x, cotangent }) => cotangent.div(x),
});

/** The square root, elementwise, for x ≥ 0. */
export const sqrt: UnaryFunction = unary({
  name: 'sqrt',
  cost: 3,
  kernel: element((x: number) => {
    'use gpu';
    return std.sqrt(x);
  }),
  vjp: ({ y, cotangent }) => cotangent.div(y.mul(2)),
});

/** 1 / √x, elementwise, for x > 0. */
export const rsqrt: UnaryFunction = unary({
  name: 'rsqrt',
  cost: 4,
  kernel: element((x: number) => {
    'use gpu';
    return 1 / std.sqrt(x);
  }),
  vjp: ({ x, y, cotangent }) => cotangent.mul(y).div(x.mul(-2)),
});

/** 1 / x, elementwise. */
export const reciprocal: UnaryFunction = unary({
  name: 'reciprocal',
  cost: 2,
  kernel: element((x: number) => {
    'use gpu';
    return 1 / x;
  }),
  vjp: ({ y, cotangent }) => cotangent.mul(y.square()).neg(),
});

/** |x|, elementwise. The gradient at 0 is 0. */
export const abs: UnaryFunction = unary({
  name: 'abs',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return std.abs(x);
  }),
  vjp: ({ x, cotangent }) => cotangent.mul(sign(x)),
});

/** −1, 0 or 1, elementwise. */
export const sign: UnaryFunction = unary({
  name: 'sign',
  dtypes: signed,
  kernel: element((x: number) => {
    'use gpu';
    return std.sign(x);
  }),
  vjp: zeroGradient('sign is constant between its steps'),
});

/** The largest whole number not above x, elementwise. */
export const floor: UnaryFunction = unary({
  name: 'floor',
  kernel: element((x: number) => {
    'use gpu';
    return std.floor(x);
  }),
  vjp: zeroGradient('floor is constant between its steps'),
});

/** The smallest whole number not below x, elementwise. */
export const ceil: UnaryFunction = unary({
  name: 'ceil',
  kernel: 'ceil(x)',
  vjp: zeroGradient('ceil is constant between its steps'),
});

/** The nearest whole number, elementwise; halves go to the even one, as in IEEE 754 and PyTorch. */
export const round: UnaryFunction = unary({
  name: 'round',
  kernel: 'round(x)',
  vjp: zeroGradient('round is constant between its steps'),
});

/**
 * The cosine, elementwise, within 1e-6 for |x| up to 1000. WGSL's own promises nothing outside [−π, π]; this one reduces
 * its argument itself. From 10⁴ on it loses digits (5e-3 at 10⁶), since the number of quarter turns no longer multiplies
 * exactly; of ±∞ it is undefined.
 */
export const cos: UnaryFunction = unary({
  name: 'cos',
  cost: 12,
  kernel: cosAccurate,
  vjp: ({ x, cotangent }) => cotangent.mul(sin(x)).neg(),
});

/**
 * The sine, elementwise, within 1e-6 for |x| up to 1000. WGSL's own promises nothing outside [−π, π]; this one reduces
 * its argument itself. From 10⁴ on it loses digits (5e-3 at 10⁶), since the number of quarter turns no longer multiplies
 * exactly; of ±∞ it is undefined.
 */
export const sin: UnaryFunction = unary({
  name: 'sin',
  cost: 12,
  kernel: sinAccurate,
  vjp: ({ x, cotangent }) => cotangent.mul(cos(x)),
});
