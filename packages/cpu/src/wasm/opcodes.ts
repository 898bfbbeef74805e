// WebAssembly's instructions by name, those that this package uses. Consecutive opcodes are lists of names, which is
// shorter than one line each. https://webassembly.github.io/spec/core/binary/instructions.html

/** Prefix byte (0: none) and number of an instruction. */
export interface Opcode {
  readonly prefix: number;
  readonly code: number;
}

const comparisons = 'lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const integer = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const floatComparisons = 'eq ne lt gt le ge';
const arithmetic = 'add sub mul div min max pmin pmax';

/** Prefix byte, first opcode, start of the names, names; `-` leaves a number out. */
const tables: readonly (readonly [number, number, string, string])[] = [
  [0, 0x00, '', 'unreachable nop block loop if else'],
  [0, 0x0b, '', 'end br br_if br_table return call'],
  [0, 0x1a, '', 'drop select'],
  [0, 0x20, 'local.', 'get set tee'],
  [0, 0x28, '', 'i32.load - f32.load - - - - i32.load16_u'],
  [0, 0x36, '', 'i32.store - f32.store - - i32.store16'],
  [0, 0x41, '', 'i32.const i64.const f32.const'],
  [0, 0x45, 'i32.', `eqz eq ne ${comparisons}`],
  [0, 0x50, 'i64.', `eqz eq ne ${comparisons}`],
  [0, 0x5b, 'f32.', floatComparisons],
  [0, 0x67, 'i32.', integer],
  [0, 0x79, 'i64.', integer],
  [0, 0x8b, 'f32.', 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'],
  [0, 0xad, 'i64.', 'extend_i32_u'],
  [0, 0xb2, 'f32.', 'convert_i32_s convert_i32_u'],
  [0, 0xbc, '', 'i32.reinterpret_f32 - f32.reinterpret_i32'],
  [0xfc, 0, 'i32.', 'trunc_sat_f32_s trunc_sat_f32_u'],
  [0xfc, 11, 'memory.', 'fill'],
  [0xfd, 0, 'v128.', 'load - - - - - - - - load32_splat - store const'],
  [0xfd, 13, '', 'i8x16.shuffle i8x16.swizzle - - i32x4.splat - f32x4.splat'],
  [0xfd, 27, 'i32x4.', 'extract_lane replace_lane'],
  [0xfd, 31, 'f32x4.', 'extract_lane replace_lane'],
  [0xfd, 55, 'i32x4.', `eq ne ${comparisons}`],
  [0xfd, 65, 'f32x4.', floatComparisons],
  [0xfd, 71, 'f64x2.', floatComparisons],
  [0xfd, 77, 'v128.', 'not and andnot or xor bitselect any_true'],
  [0xfd, 91, 'v128.', 'store64_lane - load64_zero'],
  [0xfd, 94, '', 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [0xfd, 103, 'f32x4.', 'ceil floor trunc nearest'],
  [0xfd, 134, 'i16x8.', 'narrow_i32x4_u'],
  [0xfd, 148, 'f64x2.', 'nearest'],
  [0xfd, 160, 'i32x4.', 'abs neg - all_true bitmask - - - - extend_low_i16x8_u'],
  [0xfd, 171, 'i32x4.', 'shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u'],
  [0xfd, 203, 'i64x2.', 'shl shr_s shr_u add - - sub'],
  [0xfd, 224, 'f32x4.', `abs neg - sqrt ${arithmetic}`],
  [0xfd, 236, 'f64x2.', `abs neg - sqrt ${arithmetic}`],
  [0xfd, 248, '', 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [0xfd, 252, '', 'i32x4.trunc_sat_f64x2_s_zero - f64x2.convert_low_i32x4_s'],
  [0xfe, 0x10, 'i32.atomic.', 'load - - - - - - store'],
  [0xfe, 0x1e, 'i32.atomic.rmw.', 'add - - - - - - sub - - - - - - and - - - - - - or'],
  [0xfe, 0x3a, 'i32.atomic.rmw.', 'xor - - - - - - xchg - - - - - - cmpxchg'],
];

const opcodes = new Map<string, Opcode>();
for (const [prefix, first, start, names] of tables) {
  names.split(' ').forEach((name, i) => {
    if (name !== '-') opcodes.set(start + name, { prefix, code: first + i });
  });
}

/** The opcode of an instruction such as `f32x4.add`. */
export function opcode(name: string): Opcode {
  const found = opcodes.get(name);
  if (!found) throw new Error(`internal: no instruction "${name}".`);
  return found;
}
