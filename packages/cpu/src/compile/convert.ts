// Conversions and bit casts of scalars.
import type { ScalarKind } from '../program/types.js';
import type { Graph, Value } from './ir.js';
import { isFloat, rounded } from './operators.js';

export function convert(g: Graph, from: ScalarKind, to: ScalarKind, value: Value): Value {
  if (from === to) return value;
  if (to === 'bool') {
    return isFloat(from) ? g.op('f32.ne', 'bool', [value, g.f32(0)]) : g.test('ne', value, 0);
  }
  if (from === 'bool') {
    return isFloat(to) ? g.select(value, g.f32(1), g.f32(0)) : g.select(value, g.i32(1), g.i32(0));
  }
  if (isFloat(to)) {
    const wide = isFloat(from) ? value : g.float(`convert_i32_${from === 'i32' ? 's' : 'u'}`, value);
    return rounded(g, to, wide);
  }
  return isFloat(from) ? toInteger(g, from, to, value) : value;
}

/** Toward zero, after clamping to what both types can hold; NaN is 0. https://www.w3.org/TR/WGSL/#value-constructor-builtin-function */
function toInteger(g: Graph, from: ScalarKind, to: ScalarKind, value: Value): Value {
  const most = from === 'f16' ? 65504 : to === 'i32' ? 2147483520 : 4294967040;
  const low = from === 'f16' && to === 'i32' ? g.float('pmax', value, -most) : value;
  const clamped = g.float('pmin', low, most);
  return g.int(`trunc_sat_f32_${to === 'i32' ? 's' : 'u'}`, clamped);
}

/** Bits of an f32; a NaN has always the same ones. */
export function bitsOf(g: Graph, value: Value): Value {
  return g.int('reinterpret_f32', g.float('canonical', value));
}

export const f32Of = (g: Graph, word: Value): Value => g.float('reinterpret_i32', word);
/** The low 16 bits of a word are an f16. */
export const f16Of = (g: Graph, word: Value): Value => g.op('f16.decode', 'f32', [word]);
export const f16Bits = (g: Graph, value: Value): Value => g.op('f16.encode', 'i32', [value]);

/** Scalars as words of 32 bits; two f16 share one. */
export function toBits(g: Graph, scalar: ScalarKind, values: readonly Value[]): Value[] {
  if (scalar === 'f32') return values.map((value) => bitsOf(g, value));
  if (scalar !== 'f16') return [...values];
  const halves = values.map((value) => f16Bits(g, value));
  return Array.from({ length: Math.ceil(halves.length / 2) }, (_, i) => {
    const high = halves[2 * i + 1];
    const low = halves[2 * i]!;
    return high ? g.int('or', low, g.int('shl', high, 16)) : low;
  });
}

export function fromBits(g: Graph, scalar: ScalarKind, words: readonly Value[]): Value[] {
  if (scalar === 'f32') return words.map((word) => f32Of(g, word));
  if (scalar !== 'f16') return [...words];
  return words.flatMap((word) => [word, g.int('shr_u', word, 16)].map((half) => f16Of(g, half)));
}
